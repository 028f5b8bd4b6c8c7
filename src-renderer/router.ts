/** Which view stands at which address. The unit inspector is a child of the atlas: both are on screen together, and neither imports the other. */
import { createRouter, createWebHistory, type Router } from 'vue-router';
import AtlasView from './features/atlas/AtlasView.vue';
import StartView from './features/start/StartView.vue';

/** The atlas alone: its child outlet stays empty. */
const nothing = { render: () => null };

/** Made after the token has left the address bar: a router remembers the address that it begins with. */
export function createWorkbenchRouter(): Router {
  return createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/', name: 'start', component: StartView },
      { path: '/import', name: 'import', component: () => import('./features/report/ReportView.vue') },
      { path: '/w/:workspace', name: 'workspace', component: () => import('./features/workspace/WorkspaceView.vue') },
      {
        path: '/w/:workspace/i/:index',
        component: AtlasView,
        children: [
          { path: '', name: 'index', component: nothing },
          { path: 'l/:layer(\\d+)', name: 'layer', component: nothing },
          { path: 'l/:layer(\\d+)/c/:channel(\\d+)', name: 'channel', component: () => import('./features/unit/UnitView.vue') },
        ],
      },
      { path: '/settings', name: 'settings', component: () => import('./features/settings/SettingsView.vue') },
      { path: '/:unknown(.*)*', name: 'unknown', component: () => import('./features/start/UnknownView.vue') },
    ],
  });
}
