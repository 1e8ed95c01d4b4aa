import type { TestProject } from 'vitest/node';
import { serveChromium } from '../browser/chromium.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the browser of the run is connected to. */
    chromium: string;
  }
}

/** One Chromium for all tests: each file has contexts of its own in it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await serveChromium();
  project.provide('chromium', server.wsEndpoint());
  return () => server.close();
}
