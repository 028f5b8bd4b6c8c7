/** What the palette can do without asking the core: places of this workspace and others, and what a menu would hold. What belongs to the atlas is offered where the atlas is on screen. */
import { computed, type ComputedRef, type Ref } from 'vue';
import { useI18n } from 'vue-i18n';
import { useRoute, useRouter } from 'vue-router';
import { experimentKinds } from '../../../src-shared/domain/experiments.ts';
import { methods } from '../../../src-shared/domain/projection.ts';
import { compareAddress, diagnosticsAddress, evolutionAddress, experimentAddress, experimentsAddress, labAddress, labTools, paperAddress, mapsAddress, neighboursAddress, trainAddress, weightsAddress } from '../../addresses.ts';
import type { IndexRecord } from '../../api/records.ts';
import { jumpTarget } from '../../composables/jumpTarget.ts';
import { loaded, type Load } from '../../composables/useLoad.ts';
import { usePlace } from '../../composables/usePlace.ts';
import { useAtlas } from '../../stores/atlas.ts';
import { useSettings } from '../../stores/settings.ts';
import { useShell } from '../../stores/shell.ts';
import { channelOrders, sheetModes, useViewing } from '../../stores/viewing.ts';
import { useWorkspaces } from '../../stores/workspaces.ts';
import type { Command } from './commandSearch.ts';

export interface WorkbenchCommands {
  /** Channels that the words name exactly: "conv5 17"; there are too many to list. */
  readonly jumps: ComputedRef<readonly Command[]>;
  readonly places: ComputedRef<readonly Command[]>;
  readonly actions: ComputedRef<readonly Command[]>;
}

const atlasRoutes: readonly unknown[] = ['index', 'layer', 'channel'];

/** Must be called in a component's setup. */
export function useWorkbenchCommands(words: Ref<string>, indexes: Ref<Load<readonly IndexRecord[]>>, openWorkspace: (path: string) => void): WorkbenchCommands {
  const { t } = useI18n();
  const route = useRoute();
  const router = useRouter();
  const atlas = useAtlas();
  const shell = useShell();
  const settings = useSettings();
  const viewing = useViewing();
  const workspaces = useWorkspaces();
  const { place, addressWith, adjust } = usePlace();

  const go = (address: string) => () => void router.push(address);
  /** The store keeps the index that was looked at last; other views are of no layer. */
  const layers = computed(() => (atlasRoutes.includes(route.name) && place.value.index === atlas.indexId ? atlas.layerList : []));
  const choice = (group: string, id: string, label: string, run: () => void): Command => ({ id: `${group} ${id}`, group, label, run });

  const jumps = computed<readonly Command[]>(() => {
    const jump = layers.value.length > 0 && words.value.trim() !== '' ? jumpTarget(words.value, layers.value, atlas.layerNumber) : null;
    if (jump?.kind !== 'found') return [];
    return jump.targets.filter((target) => target.channel !== null).map((target) => ({
      id: `channel ${target.layer} ${target.channel}`, group: t('palette.channel'), label: `${target.title} ${target.channel}`, run: go(addressWith({ layer: target.layer, channel: target.channel, hit: 1 })),
    }));
  });

  const places = computed<readonly Command[]>(() => [
    ...layers.value.map((layer) => ({ id: `layer ${layer.number}`, group: t('palette.layer'), label: layer.title, keywords: layer.name, run: go(addressWith({ layer: layer.number, channel: null, hit: 1 })) })),
    ...loaded(indexes.value, []).map((index) => ({ id: `index ${index.id}`, group: t('palette.index'), label: index.modelName, keywords: index.imagesPath, run: go(`/w/${workspaces.open?.id}/i/${index.id}`) })),
    ...loaded(workspaces.recentLoad, []).filter((each) => each.exists).map((each) => ({ id: `workspace ${each.path}`, group: t('palette.workspace'), label: each.name, keywords: each.path, run: () => openWorkspace(each.path) })),
  ]);

  const actions = computed<readonly Command[]>(() => [
    { id: 'start', group: t('palette.go'), label: t('start.title'), run: go('/') },
    { id: 'import', group: t('palette.go'), label: t('workspace.newIndex'), run: go('/import') },
    ...(workspaces.open ? ofWorkspace(workspaces.open.id) : []),
    { id: 'settings', group: t('palette.go'), label: t('settings.title'), run: go('/settings') },
    { id: 'about', group: t('palette.go'), label: t('about.link'), run: go('/about') },
    { id: 'jobs', group: t('palette.show'), label: t('jobs.title'), run: () => void (shell.jobsShown = true) },
    { id: 'shortcuts', group: t('palette.show'), label: t('shortcuts.title'), key: '?', run: () => void (shell.shortcutsShown = true) },
    ...(layers.value.length > 0 ? ofAtlas() : []),
    ...(['system', 'dark', 'light'] as const).map((theme) => choice(t('settings.theme.label'), theme, t(`settings.theme.${theme}`), () => void settings.change({ theme }))),
  ]);

  function ofWorkspace(workspace: string): readonly Command[] {
    const model = place.value.index === '' ? {} : { model: place.value.index };
    return [
      { id: 'lab', group: t('palette.go'), label: t('lab.title'), run: go(labAddress(workspace)) },
      ...labTools.map((tool) => ({ id: `lab ${tool}`, group: t('lab.title'), label: t(`lab.tool.${tool}`), run: go(labAddress(workspace, { ...model, tool })) })),
      { id: 'map', group: t('palette.go'), label: t('map.title'), run: go(mapsAddress(workspace)) },
      { id: 'neighbours', group: t('palette.go'), label: t('map.neighbours.title'), run: go(neighboursAddress(workspace)) },
      { id: 'compare', group: t('palette.go'), label: t('compare.title'), run: go(compareAddress(workspace, null, null)) },
      { id: 'train', group: t('palette.go'), label: t('workspace.train'), run: go(trainAddress(workspace)) },
      { id: 'evolution', group: t('palette.go'), label: t('workspace.evolution'), run: go(evolutionAddress(workspace)) },
      { id: 'diagnostics', group: t('palette.go'), label: t('workspace.diagnostics'), run: go(diagnosticsAddress(workspace)) },
      { id: 'experiments', group: t('palette.go'), label: t('experiments.title'), run: go(experimentsAddress(workspace)) },
      ...experimentKinds.map((kind) => ({ id: `experiment ${kind}`, group: t('experiments.title'), label: t(`experiments.kind.${kind}`), run: go(experimentAddress(workspace, kind)) })),
      { id: 'paper', group: t('palette.go'), label: t('paper.open'), run: go(paperAddress(workspace)) },
    ];
  }

  function ofAtlas(): readonly Command[] {
    const { workspace, index, layer } = place.value;
    return [
      ...(layer === null ? [] : [{ id: 'weights', group: t('palette.go'), label: t('atlas.weights'), run: go(weightsAddress(workspace, index, layer)) }]),
      ...methods.map((method) => choice(t('method.label'), method, t(`method.${method}`), () => adjust({ method }))),
      ...sheetModes.map((mode) => choice(t('atlas.mode.label'), mode, t(`atlas.mode.${mode}`), () => void (viewing.mode = mode))),
      ...channelOrders.map((order) => choice(t('atlas.order.label'), order, t(`atlas.order.${order}`), () => void (viewing.order = order))),
    ];
  }

  return { jumps, places, actions };
}
