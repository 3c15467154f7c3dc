/** Process faults: what is wrong with the process itself, whatever the options say. */
import type { ConfigurationFaults } from '../protocol/configuration-faults.js';
import { EnvironmentProxies } from '../http/environment-proxies.js';
import { runsInProduction, verifiesNoCertificate } from '../protocol/production.js';

/**
 * No connection of the library heeds `NODE_TLS_REJECT_UNAUTHORIZED=0`; others of the process do, such as those to a database. In development Node's own
 * warning says enough.
 */
export function checkProcess(faults: ConfigurationFaults): void {
  if (runsInProduction() && verifiesNoCertificate()) {
    faults.fault(
      'NODE_TLS_REJECT_UNAUTHORIZED is 0, with which Node verifies no certificate: leave it out, and name the authority in tls.caFile or NODE_EXTRA_CA_CERTS',
    );
  }
  for (const fault of EnvironmentProxies.ofProcess().faults) faults.fault(fault);
}
