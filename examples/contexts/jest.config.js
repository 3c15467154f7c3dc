/** Jest runs the output of `tsc`. */
export default { testEnvironment: 'node', transform: {}, testMatch: ['<rootDir>/dist/test/**/*.spec.js'] };
