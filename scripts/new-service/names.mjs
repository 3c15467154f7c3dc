/**
 * @typedef {object} Names
 * @property {string} name such as service-d
 * @property {string} word d
 * @property {string} Title Service D
 * @property {string} Class ServiceD
 * @property {string} variable serviceD
 * @property {string} prefix SERVICE_D, for environment variables
 * @property {string} permission d.read, a client scope
 * @property {string} role d-reader, required for the permission
 * @property {string} caller such as service-c
 * @property {string} CallerTitle Service C
 * @property {string} callerVariable serviceC
 * @property {string} callerPrefix SERVICE_C
 * @property {string} port of the new service
 * @property {string} demoSecret d-secret
 */

export const SERVICE_NAME = /^service-[a-z]+$/;

/** @param {string} name */
const formsOf = (name) => {
  const word = name.slice('service-'.length);
  const Word = word.charAt(0).toUpperCase() + word.slice(1);
  return { word, Title: `Service ${Word}`, Class: `Service${Word}`, prefix: name.toUpperCase().replaceAll('-', '_') };
};

/**
 * @param {string} name
 * @param {string} caller
 * @param {number} port
 * @returns {Names}
 */
export function namesOf(name, caller, port) {
  const { word, Title, Class, prefix } = formsOf(name);
  const ofCaller = formsOf(caller);
  return {
    name,
    word,
    Title,
    Class,
    variable: Class.replace('S', 's'),
    prefix,
    permission: `${word}.read`,
    role: `${word}-reader`,
    caller,
    CallerTitle: ofCaller.Title,
    callerVariable: ofCaller.Class.replace('S', 's'),
    callerPrefix: ofCaller.prefix,
    port: String(port),
    demoSecret: `${word}-secret`,
  };
}
