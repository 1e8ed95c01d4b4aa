import type { ComponentType } from 'preact';
import type { Session } from './api/session.ts';
import type { Live } from './live/use-live.ts';
import { AuditPage } from './pages/audit-page.tsx';
import { KeysPage } from './pages/keys-page.tsx';
import { OverviewPage } from './pages/overview-page.tsx';

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
  { name: 'audit', title: 'Audit', View: AuditPage, shownTo: (session) => session.can('audit') },
];
