import { valkeyCache } from '../../libs/keycloak/dist/entry-points/valkey/index.js';

/** Longer than a run, so that Valkey deletes no entry by its own clock. */
const HOUR_MS = 3_600_000;

/**
 * Wraps `valkeyCache`, whose entries age by Valkey's clock. Entries of the wrapped cache age by the clock `now`.
 * `fills(true)` also keeps the entries in this process, and looks only there.
 */
export function virtualTimeCache(options, now) {
  const real = valkeyCache(options);
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
      check: (context) => real.check(context),
      connect: (context) => wrapped(real.connect(context), { state, counted, now }),
    },
  };
}

function wrapped(inner, { state, counted, now }) {
  const look = async (key, maxAgeMs, noUse) => {
    const kept = state.filled.get(key);
    if (kept !== undefined && now() - kept.askedAtMs < maxAgeMs && noUse === undefined) return found(kept, now, key);
    if (state.isFilling) return { kind: 'lease' };
    state.looks += 1;
    const looked = await inner.look(key, HOUR_MS, noUse);
    if (looked.kind !== 'found') return looked;
    const entry = JSON.parse(looked.text);
    // The entry is too old by the virtual clock, so the next look must not find it.
    return now() - entry.askedAtMs < maxAgeMs ? found(entry, now, looked.id) : inner.look(key, HOUR_MS, looked.id);
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
