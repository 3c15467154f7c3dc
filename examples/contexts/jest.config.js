/** Jest runs what `tsc` has compiled. */
export default { testEnvironment: 'node', transform: {}, testMatch: ['<rootDir>/dist/test/**/*.spec.js'] };
