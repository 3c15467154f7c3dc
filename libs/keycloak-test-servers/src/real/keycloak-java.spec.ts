import { describe, expect, it } from '@jest/globals';
import { parseJavaVersion } from './keycloak-java.js';

describe('parseJavaVersion', () => {
  it.each([
    ['openjdk version "17.0.21" 2026-10-20\nOpenJDK Runtime Environment (build 17.0.21+9)', 17],
    ['java version "21.0.2" 2024-01-16 LTS', 21],
    ['openjdk version "25" 2025-09-16', 25],
    ['openjdk version "26-ea" 2026-03-17', 26],
    ['java version "1.8.0_392"', 8],
    ['Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "17.0.9"', 17],
  ])('reads the feature release of %j', (output, version) => {
    expect(parseJavaVersion(output)).toBe(version);
  });

  it('returns no version for a text that contains no version', () => {
    expect(parseJavaVersion('The operation couldn’t be completed. Unable to locate a Java Runtime.')).toBeUndefined();
  });
});
