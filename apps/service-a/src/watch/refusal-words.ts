export interface Late {
  readonly service: string;
  readonly lateMs: number;
}

const TOGETHER_MS = 250;
const AT_ONCE_MS = 50;

/** `fromTheCause` and `fromTheFirst` require that `late` is sorted by time. */
export function fromTheCause(late: readonly Late[]): string {
  const [first, ...others] = together(late);
  if (first === undefined) return '';
  const at = lettersOf(first.services);
  if (others.length === 0) return `Refused ${seconds(first.lateMs)} later, at ${at}`;
  const rest = others.map(({ services, lateMs }) => `, ${seconds(lateMs)} at ${lettersOf(services)}`);
  return `Refused ${seconds(first.lateMs)} later at ${at}${rest.join('')}`;
}

export function fromTheFirst(late: readonly Late[]): string {
  const [begun, later] = [late.filter(isAtOnce), late.filter((one) => !isAtOnce(one))];
  const first = `Refused at ${lettersOf(begun.map(({ service }) => service))}`;
  const rest = together(later).map(
    ({ services, lateMs }) => `, and ${seconds(lateMs)} later at ${lettersOf(services)}`,
  );
  return first + rest.join('');
}

export const seconds = (ms: number): string => `${(Math.max(0, ms) / 1000).toFixed(1)} s`;

export const inWords = (services: readonly string[]): string =>
  `Service${services.length === 1 ? '' : 's'} ${lettersOf(services)}`;

export const isAtOnce = ({ lateMs }: Pick<Late, 'lateMs'>): boolean => lateMs < AT_ONCE_MS;

interface Group {
  readonly services: readonly string[];
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

const lettersOf = (services: readonly string[]): string =>
  LIST.format(services.map((service) => service.replace(/^Service /, '')).toSorted());
