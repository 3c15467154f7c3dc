// npm run sign-off -- main..HEAD checks that the author of each commit signed the commit off (DCO 1.1). A line
// "Signed-off-by" must have the author's name or e-mail address. Merge commits need no sign-off.
import '../common/help.mjs';
import { spawnSync } from 'node:child_process';
import { argumentsOf } from '../common/own-options.mjs';
import { paint } from '../common/processes.mjs';

const FORMAT = ['%h', '%s', '%an', '%ae', '%(trailers:key=Signed-off-by,valueonly,unfold)'].join('%x00');

const { positionals } = argumentsOf({ options: {}, allowPositionals: true });
const [range = ''] = positionals;
if (positionals.length !== 1 || !/^[^-].*\.\./.test(range)) {
  console.error(paint(31, 'Give the range of the commits: npm run sign-off -- main..HEAD'));
  process.exit(1);
}

const commits = commitsIn(range);
if (commits.length === 0) {
  console.error(paint(31, `${range} has no commits`));
  process.exit(1);
}
const unsigned = commits.filter(({ author, email, signers }) => {
  return !signers.some((signer) => signer.includes(`<${email}>`) || signer.startsWith(`${author} <`));
});
for (const { commit, subject, author, email } of unsigned)
  console.log(paint(31, `${commit} ${subject}\n    has no line "Signed-off-by: ${author} <${email}>"`));
console.log(`${commits.length - unsigned.length} of ${commits.length} commits are signed off`);
if (unsigned.length > 0) {
  console.log(`CONTRIBUTING.md says what this means. To sign off: git rebase --signoff ${range.split('..')[0]}`);
  process.exitCode = 1;
}

/** @param {string} commitRange */
function commitsIn(commitRange) {
  const args = ['log', '-z', '--no-merges', `--format=${FORMAT}%x00`, commitRange, '--'];
  const { status, stdout } = spawnSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) process.exit(1);
  const fields = stdout.split('\0');
  return Array.from({ length: Math.floor(fields.length / 6) }, (_, at) => {
    const [commit = '', subject = '', author = '', email = '', signers = ''] = fields.slice(at * 6);
    return { commit, subject, author, email, signers: signers.split('\n') };
  });
}
