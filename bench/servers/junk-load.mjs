// Sends junk tokens from a process of low priority, which delays no valid requests.
import { setPriority } from 'node:os';
import { junkToken } from '../measure/junk.mjs';
import { atRate, closedLoop } from '../measure/load.mjs';

const [url, path, requests, connections, rate] = process.argv.slice(2);
const request = () => ({ path, headers: { authorization: `Bearer ${junkToken()}` } });
const junk = { url, request, connections: Number(connections) };

const ANSWERS = {
  asFastAsAnswered: () => closedLoop({ ...junk, requests: Number(requests) }),
  paced: () => atRate({ ...junk, rate: Number(rate), seconds: Number(requests) / Number(rate) }),
};
process.on('message', async ({ id, ask }) => {
  if (ask in ANSWERS) process.send({ id, answer: (await ANSWERS[ask]()).statuses });
});
process.once('SIGTERM', () => process.exit());
setPriority(10);
process.send({ listening: url });
