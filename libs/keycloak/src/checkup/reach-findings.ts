import type { RegisteredService } from './checkup-parts.js';
import { error, ok, type Finding } from './finding.js';
import { through } from './server-findings.js';

export async function reachFinding(service: RegisteredService): Promise<Finding> {
  const { name, baseUrl, audience, proxy } = service;
  const at = `at ${baseUrl}${through(proxy)}`;
  const why = await service.whyUnreached();
  if (why !== undefined) {
    return error(
      'next_service',
      `${name} is unreachable ${at}: ${why.words}.`,
      why.cure ?? `Start ${name}, or correct its base URL.`,
    );
  }
  const answering = await service.whoAnswers();
  if (answering !== undefined && answering.realm !== audience) {
    return error(
      'next_service',
      `${name}: the service ${at} says that it is ${answering.realm}, but tokens for ${name} have the audience ${audience}.`,
      `Compare the host and the port of the base URL with where ${name} listens. If that is right, ${name} runs with the client id of ${answering.realm}: correct its clientId.`,
    );
  }
  if (answering?.sawAuthorization === false) {
    return error(
      'next_service',
      `${name} did not receive the Authorization header of a request ${at}.`,
      'A proxy or another intermediary removes the Authorization header. Configure it to forward the header.',
    );
  }
  return ok('next_service', `${name} answers ${at}.`);
}
