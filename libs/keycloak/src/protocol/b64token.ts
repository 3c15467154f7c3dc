/** RFC 6750 §2.1 */

const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

export function isB64Token(value: string): boolean {
  return B64TOKEN.test(value);
}
