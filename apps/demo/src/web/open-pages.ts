import { randomBytes } from 'node:crypto';
import type { Stage } from '../stage/stage.ts';

/** Has every instance serve its page, and says where. The token is made for this run, and is shown here alone. */
export async function openPages({ instances, printer }: Stage): Promise<void> {
  const token = randomBytes(18).toString('base64url');
  const pages = await Promise.all(
    instances.map(async (instance) => {
      const { url } = await instance.call('serve', { name: instance.name, token });
      return { instance, url };
    }),
  );
  await Promise.all(
    pages.map(async ({ instance }) => {
      const other = pages.find((page) => page.instance !== instance);
      if (other !== undefined) await instance.call('link', { name: other.instance.name, url: other.url });
    }),
  );
  printer.title('Pages: open a project, edit a file, see who answers');
  for (const { instance, url } of pages) printer.line(`${instance.name}: ${url}/  dashboard: ${url}/admin/`);
  printer.line(`token for the dashboard: ${token}`);
}
