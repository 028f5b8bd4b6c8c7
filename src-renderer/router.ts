/**
 * Which view stands at which address. The unit inspector is a child of the atlas: both are on screen together, and neither imports the other.
 * All views come with the first load: a view must open also while the core is away.
 */
import { createRouter, createWebHistory, type Router } from 'vue-router';
import AtlasView from './features/atlas/AtlasView.vue';
import ReportView from './features/report/ReportView.vue';
import SettingsView from './features/settings/SettingsView.vue';
import StartView from './features/start/StartView.vue';
import UnknownView from './features/start/UnknownView.vue';
import UnitView from './features/unit/UnitView.vue';
import WorkspaceView from './features/workspace/WorkspaceView.vue';

/** The atlas alone: its child outlet stays empty. */
const nothing = { render: () => null };

/** Made after the token has left the address bar: a router remembers the address that it begins with. */
export function createWorkbenchRouter(): Router {
  return createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/', name: 'start', component: StartView },
      { path: '/import', name: 'import', component: ReportView },
      { path: '/w/:workspace', name: 'workspace', component: WorkspaceView },
      {
        path: '/w/:workspace/i/:index',
        component: AtlasView,
        children: [
          { path: '', name: 'index', component: nothing },
          { path: 'l/:layer(\\d+)', name: 'layer', component: nothing },
          { path: 'l/:layer(\\d+)/c/:channel(\\d+)', name: 'channel', component: UnitView },
        ],
      },
      { path: '/settings', name: 'settings', component: SettingsView },
      { path: '/:unknown(.*)*', name: 'unknown', component: UnknownView },
    ],
  });
}
