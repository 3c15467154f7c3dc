/** A token to ask the server about, when the question is whether it answers. */
import { randomBytes } from 'node:crypto';

/** It has the form of a token, and was issued by nobody. */
export const junkToken = (): string => `eyJhbGciOiJSUzI1NiJ9.e30.${randomBytes(16).toString('base64url')}`;
