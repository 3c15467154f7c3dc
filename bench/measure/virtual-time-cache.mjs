import { SealingKeys, ValkeyClient } from '../../libs/keycloak/dist/entry-points/valkey/index.js';
import { ValkeySharedCache } from '../../libs/keycloak/dist/entry-points/valkey/valkey-shared-cache.js';

/** Longer than a run, so that Valkey deletes no entry by its own clock. */
const HOUR_MS = 3_600_000;

/** `valkeyCache` waits for less, but a time-out on a busy machine would cause a further call. */
const DEADLINE_MS = 10_000;

/**
 * Wraps `valkeyCache`. Its entries age by Valkey's clock, but entries of the wrapped cache age by the clock
 * `now`. `fills(true)` also keeps the entries in this process, and looks only there.
 */
export function virtualTimeCache({ url, keys }, now) {
  const connect = (context) =>
    new ValkeySharedCache(new ValkeyClient({ url, deadlineMs: DEADLINE_MS }), new SealingKeys(keys), context);
  const state = { isFilling: false, pending: 0, looks: 0, puts: 0, filled: new Map() };
  const counted = async (work) => {
    state.pending += 1;
    try {
      return await work;
    } finally {
      state.pending -= 1;
    }
  };
  return {
    state,
    fills(isFilling) {
      state.isFilling = isFilling;
    },
    cache: {
      check: () => undefined,
      connect: (context) => wrapped(connect(context), { state, counted, now }),
    },
  };
}

function wrapped(inner, { state, counted, now }) {
  const look = async (key, maxAgeMs, noUse) => {
    if (!state.isFilling) state.looks += 1;
    const kept = state.filled.get(key);
    if (kept !== undefined && now() - kept.askedAtMs < maxAgeMs && noUse === undefined) return found(kept, now, key);
    if (state.isFilling) return { kind: 'lease' };
    for (let refused = noUse; ;) {
      const looked = await inner.look(key, HOUR_MS, refused);
      if (looked.kind !== 'found') return looked;
      const entry = JSON.parse(looked.text);
      if (now() - entry.askedAtMs < maxAgeMs) return found(entry, now, looked.id);
      // The entry is too old by the virtual clock, so the next look must not find it.
      refused = looked.id;
    }
  };
  const put = async (key, { text, ageMs, isFinal }) => {
    const entry = { text, askedAtMs: now() - ageMs };
    if (state.isFilling) state.filled.set(key, entry);
    else state.filled.delete(key);
    state.puts += 1;
    await inner.put(key, { text: JSON.stringify(entry), ageMs: 0, servesMs: HOUR_MS, isFinal });
  };
  return {
    open: () => inner.open(),
    look: (...given) => counted(look(...given)),
    put: (...given) => counted(put(...given)),
    extend: (key) => (state.isFilling ? Promise.resolve() : inner.extend(key)),
    release: (key) => counted(inner.release(key)),
    close: () => inner.close(),
  };
}

const found = ({ text, askedAtMs }, now, id) => ({ kind: 'found', text, ageMs: now() - askedAtMs, id });
