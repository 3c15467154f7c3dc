import { CLIENT_ID, fleetCalls, KINDS } from './fleet.mjs';
import { hotProcess } from './hot-process.mjs';
import { readTokens, writeTokens } from './hot-tokens.mjs';

const TOKENS = 10;

export const proveFleet = (bench) =>
  withTokens(bench, async (parts) => {
    for (const kind of KINDS) {
      const { perSecond } = await fleetCalls(parts, { kind, services: 2, tokens: TOKENS, shared: false });
      if (!(perSecond > 0)) throw new Error(`The services cause no call (${kind})`);
    }
  });

export const proveHotTokens = (bench) =>
  withTokens(bench, async (parts) => {
    const headers = { authorization: `Bearer ${readTokens(parts.tokensFile).at(0)}` };
    for (const kind of ['ttl', 'feed', 'jwt']) {
      const { server } = await hotProcess(parts, kind, TOKENS);
      await parts.issuer.ask('reset');
      const { status } = await fetch(`${server.url}/route`, { headers });
      const calls = Object.keys(await parts.issuer.ask('calls'));
      if (status !== 200 || calls.includes('introspect')) throw new Error(`${kind}: status ${status}, calls ${calls}`);
    }
  });

async function withTokens(bench, prove) {
  const issuer = await bench.start('issuer', ['bench/servers/issuer.mjs', CLIENT_ID, 'EdDSA'], { aside: true });
  const tokens = await writeTokens(issuer, TOKENS);
  try {
    await prove({ ...bench, issuer, tokensFile: tokens.path });
  } finally {
    tokens.remove();
  }
}
