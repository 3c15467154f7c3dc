// Lets an e2e or browser spec use the realm and the Service A of its Jest worker.
const own = JSON.parse(process.env.TEST_WORKERS ?? '[]')[Number(process.env.JEST_WORKER_ID ?? 1) - 1];
if (own !== undefined) {
  const { serviceAUrl, ...realm } = own;
  const server = JSON.parse(process.env.TEST_AUTHORIZATION_SERVER ?? '{}');
  process.env.TEST_AUTHORIZATION_SERVER = JSON.stringify({ ...server, ...realm });
  process.env.TEST_SERVICE_A_URL = serviceAUrl;
}
