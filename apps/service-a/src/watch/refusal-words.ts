/** Refusal words: how late services refused a token, in one sentence. */

export interface Late {
  /** Such as `Service A`. */
  readonly service: string;
  readonly lateMs: number;
}

/** Refusals so near to each other are one to whoever looks on. */
const TOGETHER_MS = 250;
/** Too little to be shown in tenths of a second. */
const AT_ONCE_MS = 50;

/** Counted from what brought it about. `late`: in order. */
export function fromTheCause(late: readonly Late[]): string {
  const [first, ...others] = together(late);
  if (first === undefined) return '';
  const at = lettersOf(first.services);
  if (others.length === 0) return `Refused ${seconds(first.lateMs)} later, at ${at}`;
  const rest = others.map(({ services, lateMs }) => `, ${seconds(lateMs)} at ${lettersOf(services)}`);
  return `Refused ${seconds(first.lateMs)} later at ${at}${rest.join('')}`;
}

/** Counted from the first of them. `late`: in order. */
export function fromTheFirst(late: readonly Late[]): string {
  const [begun, later] = [late.filter(isAtOnce), late.filter((one) => !isAtOnce(one))];
  const first = `Refused at ${lettersOf(begun.map(({ service }) => service))}`;
  const rest = together(later).map(
    ({ services, lateMs }) => `, and ${seconds(lateMs)} later at ${lettersOf(services)}`,
  );
  return first + rest.join('');
}

export const seconds = (ms: number): string => `${(Math.max(0, ms) / 1000).toFixed(1)} s`;

/** Such as `Services B and C`. */
export const inWords = (services: readonly string[]): string =>
  `Service${services.length === 1 ? '' : 's'} ${lettersOf(services)}`;

export const isAtOnce = ({ lateMs }: Pick<Late, 'lateMs'>): boolean => lateMs < AT_ONCE_MS;

interface Group {
  readonly services: readonly string[];
  /** Of the last of them. */
  readonly lateMs: number;
}

function together(late: readonly Late[]): readonly Group[] {
  const groups: { readonly services: string[]; readonly firstMs: number; lateMs: number }[] = [];
  for (const { service, lateMs } of late) {
    const last = groups.at(-1);
    if (last === undefined || lateMs - last.firstMs > TOGETHER_MS) {
      groups.push({ services: [service], firstMs: lateMs, lateMs });
    } else {
      last.services.push(service);
      last.lateMs = lateMs;
    }
  }
  return groups;
}

const LIST = new Intl.ListFormat('en-GB', { type: 'conjunction' });

/** Such as `A, B and C`. */
const lettersOf = (services: readonly string[]): string =>
  LIST.format(services.map((service) => service.replace(/^Service /, '')).toSorted());
