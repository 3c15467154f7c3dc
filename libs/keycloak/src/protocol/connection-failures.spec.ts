import { describe, expect, it } from '@jest/globals';
import { CONNECTION_FAILURES, connectionHint, isCertificateFailure } from './connection-failures.js';

const isProxyFailure = (reason: string): boolean => reason.startsWith('proxy_');
const hintOf = (reason: string): string => connectionHint(reason).hint ?? '';

describe('a connection failure', () => {
  it('has a hint only if a certificate or a proxy is the cause', () => {
    const hinted = CONNECTION_FAILURES.filter((reason) => hintOf(reason) !== '');
    expect(hinted.filter((reason) => !isCertificateFailure(reason) && !isProxyFailure(reason))).toEqual([]);
    expect([hinted.filter(isCertificateFailure).length, hinted.filter(isProxyFailure).length]).toEqual([11, 3]);
    expect([connectionHint('timeout'), connectionHint('constructor')]).toEqual([{}, {}]);
  });

  it.each([
    ['an authority that is not trusted', 'SELF_SIGNED_CERT_IN_CHAIN', /tls\.caFile.*NODE_EXTRA_CA_CERTS/],
    ['a self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT', /tls\.caFile.*NODE_EXTRA_CA_CERTS/],
    ['a certificate that has expired', 'CERT_HAS_EXPIRED', /Renew/],
    ['a key that is too weak', 'certificate_refused', /2048 bits/],
    ['another host name', 'ERR_TLS_CERT_ALTNAME_INVALID', /name/],
    ['a proxy that wants credentials', 'proxy_refused', /407, add credentials/],
  ])('has a hint that says how to correct %s', (_, reason, cure) => {
    expect(hintOf(reason)).toMatch(cure);
  });
});
