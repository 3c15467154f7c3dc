import { createServer } from 'node:http';

const BODY = JSON.stringify({ result: 20, msg: 'Order 9876 was processed' });

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': BODY.length });
    response.end(BODY);
  });
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send({ listening: `http://127.0.0.1:${server.address().port}` }));
