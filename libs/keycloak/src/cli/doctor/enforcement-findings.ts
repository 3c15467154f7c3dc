import { error, warning, type Finding } from '../../checkup/finding.js';
import type { ApplicationSubject } from '../application/application-subject.js';

export function enforcementFindings({ enforcement }: ApplicationSubject): Finding[] {
  if (enforcement === undefined || enforcement.mode === 'enforce') return [];
  const { until, startFaults } = enforcement;
  return [
    warning(
      'enforcement',
      `Access is NOT enforced until ${until}: enforcement is "observe", so this library refuses nothing.`,
      'When nestjs-keycloak-s2s observed exits with 0 for each replica, set enforcement to "enforce".',
    ),
    ...startFaults.map((fault) =>
      error(
        'enforcement',
        `The start fails as soon as access is enforced: ${fault}`,
        'Correct the decorators of this handler.',
      ),
    ),
  ];
}
