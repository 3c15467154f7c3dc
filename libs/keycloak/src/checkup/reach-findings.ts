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
      `${name} is not reached ${at}: ${why.words}.`,
      why.cure ?? `Start ${name}, or mend its base URL.`,
    );
  }
  const answering = await service.whoAnswers();
  if (answering !== undefined && answering.realm !== audience) {
    return error(
      'next_service',
      `${name}: what answers ${at} calls itself ${answering.realm}, and tokens for ${name} are for ${audience}.`,
      `Compare the host and the port of the base URL with where ${name} listens. If that is right, ${name} runs with the client id of ${answering.realm}: mend its clientId.`,
    );
  }
  if (answering?.sawAuthorization === false) {
    return error(
      'next_service',
      `${name} was sent a header Authorization ${at}, and did not see it.`,
      'Something between, such as a proxy, takes the header Authorization out of requests: have it pass the header on.',
    );
  }
  return ok('next_service', `${name} answers ${at}.`);
}
