/** Version: the version in this library's package.json. */

export const VERSION = '0.1.0';
