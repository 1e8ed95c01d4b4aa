// A command of your own over the same parts: here one that is told where Redis is, and writes to texts.
import { EXIT, runCli } from '@tierkit/cli';
import { createTierkit, fromEnvironment } from 'tierkit';

const environment = { REDIS_URL: process.env['REDIS_URL'] ?? 'redis://localhost:6379' };
const prefix = `example-cli-${process.pid}:`;

const kit = createTierkit({ ...fromEnvironment(environment), prefix });
await kit.ready('10s');
await kit.global.set('task:1', { name: 'write' });
await kit.global.set('task:2', { name: 'test' });

async function command(...args: string[]): Promise<string> {
  let said = '';
  const stdout = { write: (text: string) => (said += text) };
  const host = {
    version: '1.0.0',
    fromEnvironment,
    createTierkit: (options: object) => createTierkit({ ...fromEnvironment(environment), ...options }),
  };
  const options = { host, environment, stdout, stderr: stdout };
  const code = await runCli({ ...options, args: [...args, '--prefix', prefix, '--timeout', '10s'] });
  return code === EXIT.done ? said : `exit code ${code}: ${said}`;
}

process.stdout.write(await command('invalidate', 'task:*', '--dry-run'));
process.stdout.write(await command('invalidate', 'task:*'));
process.stdout.write(await command('invalidate', 'task:*', '--yes'));
process.stdout.write(`left: ${await command('keys')}`);
await kit.close();
