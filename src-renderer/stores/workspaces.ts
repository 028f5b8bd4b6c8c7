/** The open workspace and the recent ones. A core has at most one open. */
import { defineStore } from 'pinia';
import { computed } from 'vue';
import { core } from '../api/client.ts';
import type { RecentWorkspace, Workspace } from '../api/records.ts';
import { useLoad } from '../composables/useLoad.ts';

export const useWorkspaces = defineStore('workspaces', () => {
  const current = useLoad<Workspace | null>();
  const recent = useLoad<RecentWorkspace[]>();
  const open = computed(() => (current.state.value.kind === 'done' ? current.state.value.value : null));

  async function load(): Promise<void> {
    await Promise.all([
      current.run((signal) => core.workspaces.current(undefined, { signal }), true),
      recent.run((signal) => core.workspaces.recent(undefined, { signal }), true),
    ]);
  }

  /** Opens the workspace folder at `path`; rejects with the core's error. */
  async function openAt(path: string): Promise<Workspace> {
    return adopt(await core.workspaces.open({ path }));
  }

  /** Makes a workspace of that name in the user's data folder, and opens it. */
  async function create(name: string): Promise<Workspace> {
    return adopt(await core.workspaces.create({ name: name.slice(0, 120) }));
  }

  async function forget(path: string): Promise<void> {
    await core.workspaces.forget({ path });
    await load();
  }

  /** Takes over what the core opened on its own. A question that is still under way must not answer with the workspace before it. */
  function adopt(workspace: Workspace): Workspace {
    current.reset();
    current.state.value = { kind: 'done', value: workspace };
    return workspace;
  }

  return { currentLoad: current.state, recentLoad: recent.state, open, load, openAt, create, adopt, forget };
});
