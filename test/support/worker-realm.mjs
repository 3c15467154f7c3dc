// Runs before each e2e and browser spec, and selects the realm and the address of Service A of its worker.
const further = JSON.parse(process.env.TEST_FURTHER_WORKERS ?? '[]');
const own = further[Number(process.env.JEST_WORKER_ID ?? 1) - 2];
if (own !== undefined) {
  const { serviceAUrl, ...realm } = own;
  const server = JSON.parse(process.env.TEST_AUTHORIZATION_SERVER ?? '{}');
  process.env.TEST_AUTHORIZATION_SERVER = JSON.stringify({ ...server, ...realm });
  process.env.TEST_SERVICE_A_URL = serviceAUrl;
}
