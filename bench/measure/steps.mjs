// Each step includes all previous steps.
export const STEPS = [
  { name: 'fastify', adds: 'Fastify alone' },
  { name: 'nest', adds: 'Nest' },
  { name: 'headers', adds: 'security headers' },
  { name: 'validation', adds: 'validation of the body' },
  { name: 'filters', adds: 'filters for refusals and other errors' },
  { name: 'service', adds: "limits of connections, and the check of the host name (service-defaults' createService)" },
  { name: 'trace', adds: 'request trace, of a request that is not traced' },
  { name: 'guard', adds: 'guard, with permission and client' },
  { name: 'client', adds: 'service client, with the call' },
];

export const stepNumber = (name) => STEPS.findIndex((step) => step.name === name);
