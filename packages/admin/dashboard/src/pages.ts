import type { ComponentType } from 'preact';
import type { Session } from './api/session.ts';
import type { Live } from './live/live.ts';
import { AuditPage } from './pages/audit-page.tsx';
import { KeysPage } from './pages/keys-page.tsx';
import { LimitsPage } from './pages/limits-page.tsx';
import { LocksPage } from './pages/locks-page.tsx';
import { OverviewPage } from './pages/overview-page.tsx';
import { QueuesPage } from './pages/queues-page.tsx';
import { UsagePage } from './pages/usage-page.tsx';

export interface PageProps {
  readonly session: Session;
  readonly live: Live;
}

export interface Page {
  /** As in the address. */
  readonly name: string;
  readonly title: string;
  readonly View: ComponentType<PageProps>;
  shownTo(session: Session): boolean;
}

export const PAGES: readonly Page[] = [
  { name: 'overview', title: 'Overview', View: OverviewPage, shownTo: (session) => session.can('stats') },
  { name: 'keys', title: 'Keys', View: KeysPage, shownTo: (session) => session.can('names') },
  { name: 'usage', title: 'Usage', View: UsagePage, shownTo: (session) => session.can('names') },
  { name: 'locks', title: 'Locks', View: LocksPage, shownTo: (session) => session.can('stats') },
  { name: 'limits', title: 'Limits', View: LimitsPage, shownTo: (session) => session.can('stats') },
  { name: 'queues', title: 'Queues', View: QueuesPage, shownTo: (session) => session.can('stats') },
  { name: 'audit', title: 'Audit', View: AuditPage, shownTo: (session) => session.can('audit') },
];
