import { locationOf, type Browser, type Page } from '../../libs/keycloak-test-servers/contract/browser.js';
import { publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';

export async function callbackOf(serviceA: string, browser: Browser, user: string): Promise<string> {
  const form = await browser.open(`${serviceA}/auth/login`, {}, (next) => next.includes('/auth/callback'));
  const answered = form.status === 200 ? await browser.submitLogin(form, user) : form;
  return (locationOf(answered) ?? '').replace(publicUrl, serviceA);
}

export async function logInAt(serviceA: string, browser: Browser, user: string): Promise<Page> {
  return browser.send(await callbackOf(serviceA, browser, user));
}
