import { RepeatedLines, type UnwrittenLines } from '../diagnostics/repeated-lines.js';
import { loggedFields } from '../protocol/failure-hints.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import { loggableText } from '../protocol/loggable-text.js';

type Fields = Readonly<Record<string, unknown>>;

export type ObservationLog = Readonly<Record<'log' | 'warn' | 'error', (message: string, fields: object) => void>>;

export class ObservedLog {
  readonly #repeated = { refused: new RepeatedLines(), failed: new RepeatedLines() };

  constructor(private readonly lines: ObservationLog) {}

  refused(refusal: KeycloakException, route: string, call: Fields): void {
    const { code, reason, permission, authentication } = refusal;
    const kind = { code, reason, route };
    const others = (unwritten: UnwrittenLines): void =>
      quietly(() =>
        this.lines.log(
          'Other calls would be refused, too',
          unwritten.isMixed === true ? unwritten : { ...kind, ...unwritten },
        ),
      );
    if (!this.#repeated.refused.admits(JSON.stringify(kind), others)) return;
    this.lines.log('This call would be refused if access were enforced', {
      ...kind,
      ...(permission === undefined ? {} : { permission }),
      ...(authentication === undefined ? {} : { demanded: authentication }),
      ...call,
      ...loggedFields(refusal),
    });
  }

  failed(error: unknown, reason: string): void {
    const others = (unwritten: UnwrittenLines): void =>
      quietly(() => this.lines.error('Several calls could not be judged', { reason, ...unwritten }));
    if (!this.#repeated.failed.admits(reason, others)) return;
    const fields = error instanceof KeycloakException ? loggedFields(error) : { error: loggableText(String(error)) };
    this.lines.error('A call could not be judged, and was not refused', { reason, ...fields });
  }

  dropped(limit: number): void {
    const others = (unwritten: UnwrittenLines): void =>
      quietly(() => this.lines.warn('Several calls were not judged', { limit, ...unwritten }));
    if (!this.#repeated.failed.admits('dropped', others)) return;
    this.lines.warn('A call was not judged, because too many judgements are in flight', { limit });
  }

  end(): void {
    this.#repeated.refused.end();
    this.#repeated.failed.end();
  }
}

/** A timer writes the log lines, so an error of the logger would end the process. */
function quietly(write: () => void): void {
  try {
    write();
  } catch {
    return;
  }
}
