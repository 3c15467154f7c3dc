import type { ConfigurationFaults } from '../protocol/configuration-faults.js';
import { EnvironmentProxies } from '../http/environment-proxies.js';
import { runsInProduction, verifiesNoCertificate } from '../protocol/production.js';

/**
 * This library ignores `NODE_TLS_REJECT_UNAUTHORIZED=0`, but other connections of the process verify no certificate. In
 * development, Node's own warning is enough.
 */
export function checkProcess(faults: ConfigurationFaults): void {
  if (runsInProduction() && verifiesNoCertificate()) {
    faults.fault(
      'NODE_TLS_REJECT_UNAUTHORIZED is 0, so Node verifies no certificate. Remove it, and name the authority in tls.caFile or NODE_EXTRA_CA_CERTS',
    );
  }
  for (const fault of EnvironmentProxies.ofProcess().faults) faults.fault(fault);
}
