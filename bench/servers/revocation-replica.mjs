import { composeKeycloak } from '../../libs/keycloak/dist/module/compose-keycloak.js';
import { valkeyRevocations } from '../../libs/keycloak/dist/entry-points/valkey/index.js';

const { VALKEY_URL: url, DENIAL_KEY: key } = process.env;
const {
  revocations,
  sharing: [sharing],
} = composeKeycloak({
  issuer: 'https://sso.test/realms/bench',
  clientId: 'bench',
  clientSecret: 'not-used',
  allowInsecureRequests: true,
  revocationChannel: valkeyRevocations({ url, keys: [key] }),
});
await sharing.start(1000);

/** In milliseconds since the epoch, comparable between all processes of this machine. */
const now = () => performance.timeOrigin + performance.now();
let size = revocations.size;
let refusedAt;
revocations.onDenied(() => {
  if (revocations.size > size) refusedAt = now();
  size = revocations.size;
});

const ANSWERS = {
  deny() {
    const deniedAt = now();
    revocations.deny({ sid: crypto.randomUUID() });
    return deniedAt;
  },
  refused: () => ({ size, refusedAt }),
};
process.on('message', ({ id, ask }) => ask in ANSWERS && process.send({ id, answer: ANSWERS[ask]() }));
process.send({ listening: 'nowhere' });
