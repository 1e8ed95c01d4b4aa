import { chromium, type Browser, type BrowserServer, type LaunchOptions } from 'playwright-core';
import { findChromium, NO_CHROMIUM } from '../../.ci/lib/chromium.mjs';

/** The system's Chromium, without a window. Fails where there is none: what it tests is not to be skipped. */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch(launchOptions());
}

/** One that other processes can connect to. */
export async function serveChromium(): Promise<BrowserServer> {
  return chromium.launchServer(launchOptions());
}

function launchOptions(): LaunchOptions {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(NO_CHROMIUM);
  // As root it cannot make its sandbox; the pages are our own.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return { executablePath, args };
}
