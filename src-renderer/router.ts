/**
 * Which view stands at which address. The unit inspector is a child of the atlas: both are on screen together, and neither imports the other.
 * All views come with the first load: a view must open also while the core is away.
 */
import { createRouter, createWebHistory, type Router } from 'vue-router';
import AboutView from './features/about/AboutView.vue';
import AtlasView from './features/atlas/AtlasView.vue';
import CompareView from './features/compare/CompareView.vue';
import DiagnosticsView from './features/diagnostics/DiagnosticsView.vue';
import EvolutionStart from './features/evolution/EvolutionStart.vue';
import EvolutionView from './features/evolution/EvolutionView.vue';
import ExperimentsView from './features/experiments/ExperimentsView.vue';
import FormView from './features/experiments/FormView.vue';
import ResultView from './features/experiments/ResultView.vue';
import LabView from './features/lab/LabView.vue';
import PaperView from './features/paper/PaperView.vue';
import MapStart from './features/map/MapStart.vue';
import MapView from './features/map/MapView.vue';
import NeighboursView from './features/map/NeighboursView.vue';
import ReportView from './features/report/ReportView.vue';
import ImageView from './features/search/ImageView.vue';
import SettingsView from './features/settings/SettingsView.vue';
import StartView from './features/start/StartView.vue';
import UnknownView from './features/start/UnknownView.vue';
import RunView from './features/training/RunView.vue';
import TrainView from './features/training/TrainView.vue';
import UnitView from './features/unit/UnitView.vue';
import WeightsView from './features/weights/WeightsView.vue';
import WorkspaceView from './features/workspace/WorkspaceView.vue';

/** What the core takes for an id: other words lead nowhere, and it need not be asked about them. */
const id = '([a-z0-9]{6,24})';

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
      { path: '/train', name: 'train-new', component: TrainView },
      { path: '/w/:workspace/train', name: 'train', component: TrainView },
      { path: '/w/:workspace/train/:run([0-9a-f]{12})', name: 'run', component: RunView },
      { path: '/w/:workspace/evolution', name: 'evolution', component: EvolutionStart },
      { path: `/w/:workspace/evolution/:series${id}`, name: 'series', component: EvolutionView },
      { path: '/w/:workspace/diagnostics', name: 'diagnostics', component: DiagnosticsView },
      { path: `/w/:workspace/i/:index${id}/image/:image(\\d+)`, name: 'image', component: ImageView },
      { path: '/w/:workspace/experiments', name: 'experiments', component: ExperimentsView },
      { path: '/w/:workspace/experiments/new/:kind', name: 'experiment-form', component: FormView },
      { path: `/w/:workspace/experiments/:experiment${id}`, name: 'experiment', component: ResultView },
      { path: '/w/:workspace/paper', name: 'paper', component: PaperView },
      { path: '/w/:workspace/lab', name: 'lab', component: LabView },
      { path: '/w/:workspace/map', name: 'maps', component: MapStart },
      { path: `/w/:workspace/map/:map${id}`, name: 'map', component: MapView },
      { path: '/w/:workspace/neighbours', name: 'neighbours', component: NeighboursView },
      { path: '/w/:workspace/compare', name: 'compare', component: CompareView },
      {
        path: `/w/:workspace/i/:index${id}`,
        component: AtlasView,
        children: [
          { path: '', name: 'index', component: nothing },
          { path: 'l/:layer(\\d+)', name: 'layer', component: nothing },
          { path: 'l/:layer(\\d+)/c/:channel(\\d+)', name: 'channel', component: UnitView },
        ],
      },
      { path: `/w/:workspace/i/:index${id}/l/:layer(\\d+)/weights`, name: 'weights', component: WeightsView },
      { path: '/settings', name: 'settings', component: SettingsView },
      { path: '/about', name: 'about', component: AboutView },
      { path: '/:unknown(.*)*', name: 'unknown', component: UnknownView },
    ],
  });
}
