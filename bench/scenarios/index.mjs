// `counts` marks the scenarios of --counts, and `needs` names a required option.
import * as against from './against.mjs';
import * as chainCpu from './chain-cpu.mjs';
import * as coldBurst from './cold-burst.mjs';
import * as denials from './denials.mjs';
import * as engineHints from './engine-hints.mjs';
import * as guardOverhead from './guard-overhead.mjs';
import * as halfLoad from './half-load.mjs';
import * as hungKeycloak from './hung-keycloak.mjs';
import * as importCost from './import-cost.mjs';
import * as jwt from './jwt.mjs';
import * as junkFlood from './junk-flood.mjs';
import * as keycloakLoad from './keycloak-load.mjs';
import * as keycloakRestart from './keycloak-restart.mjs';
import * as limit from './limit.mjs';
import * as logout from './logout.mjs';
import * as mcp from './mcp.mjs';
import * as millionTokens from './million-tokens.mjs';
import * as otherNode from './other-node.mjs';
import * as outage from './outage.mjs';
import * as peers from './peers.mjs';
import * as production from './production.mjs';
import * as replicas from './replicas.mjs';
import * as requestLog from './request-log.mjs';
import * as requestPath from './request-path.mjs';
import * as servers from './servers.mjs';
import * as serviceClient from './service-client.mjs';
import * as signals from './signals.mjs';
import * as startUp from './start-up.mjs';
import * as steadyState from './steady-state.mjs';

export const scenarios = [
  servers,
  requestPath,
  coldBurst,
  steadyState,
  chainCpu,
  requestLog,
  production,
  limit,
  halfLoad,
  startUp,
  engineHints,
  guardOverhead,
  jwt,
  serviceClient,
  mcp,
  importCost,
  peers,
  millionTokens,
  junkFlood,
  hungKeycloak,
  keycloakRestart,
  keycloakLoad,
  denials,
  logout,
  replicas,
  outage,
  signals,
  against,
  otherNode,
];
