import { createServer } from 'node:http';

const server = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ answer: 42 }));
});
server.listen(0, '127.0.0.1', () => process.send({ listening: `http://127.0.0.1:${server.address().port}` }));
process.once('SIGTERM', () => process.exit());
