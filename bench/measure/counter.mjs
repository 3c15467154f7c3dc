export async function startCounter(keycloak, start) {
  const proxy = await start('counting proxy', ['bench/servers/counting-proxy.mjs', keycloak.baseUrl], { aside: true });
  const counts = async () => (await proxy.ask('counts')).counts;
  return {
    keycloak: { ...keycloak, baseUrl: proxy.url },
    counts,
    total: async () => Object.values(await counts()).reduce((sum, count) => sum + count, 0),
    mostInFlight: async () => (await proxy.ask('counts')).mostInFlight,
    reset: () => proxy.ask('reset'),
    hang: () => proxy.ask('hang'),
    refuse: () => proxy.ask('refuse'),
    answerAgain: () => proxy.ask('answerAgain'),
    callsAgain: () => proxy.ask('callsAgain'),
  };
}
