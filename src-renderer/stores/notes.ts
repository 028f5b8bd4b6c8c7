/**
 * Tags and notes as all views share them: the marks of the shown layer, the tags of the workspace, and the steps that can be undone. A step is undone only where its place still says what the
 * step left there, so that nothing which was written elsewhere meanwhile is lost.
 */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import { core } from '../api/client.ts';
import { toFailure } from '../api/failure.ts';
import type { ChannelMark, CountedTag, Note, NotePlace, NotesDocument, NotesImport } from '../api/records.ts';
import { sameContents, type NoteContents } from './noteSteps.ts';
import { useConnection } from './connection.ts';
import { useWorkspaces } from './workspaces.ts';

interface Step {
  readonly place: NotePlace;
  readonly before: NoteContents;
  readonly after: NoteContents;
}

/** What came of an undo or a redo: the place and what changed there; nothing to do; the place says something else by now. */
export type StepOutcome = { readonly kind: 'done'; readonly place: NotePlace; readonly what: 'tags' | 'text' } | { readonly kind: 'nothing' } | { readonly kind: 'changedElsewhere' };

const mostSteps = 200;

export const useNotes = defineStore('notes', () => {
  const workspaces = useWorkspaces();
  const connection = useConnection();
  const marks = shallowRef<ReadonlyMap<number, ChannelMark>>(new Map());
  const tags = shallowRef<readonly CountedTag[]>([]);
  /** Rises with every change that goes through here, so that views of a place read it anew. */
  const changes = ref(0);
  const done = shallowRef<readonly Step[]>([]);
  const undone = shallowRef<readonly Step[]>([]);
  const canUndo = computed(() => done.value.length > 0);
  const canRedo = computed(() => undone.value.length > 0);
  let shownLayer: { readonly index: string; readonly layer: number } | null = null;
  let loading: AbortController | null = null;
  let loadingTags: AbortController | null = null;
  let turns: Promise<unknown> = Promise.resolve();

  /** One after the other: each step builds on what the one before it left, also where a key is held down. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turns.then(work);
    turns = result.catch(() => undefined);
    return result;
  }

  /** Keeps `marks` of this layer from now on. */
  function showLayer(index: string, layer: number): void {
    if (shownLayer?.index === index && shownLayer.layer === layer) return;
    shownLayer = { index, layer };
    marks.value = new Map();
    void loadMarks();
  }

  /** A layer without its marks can be looked at all the same: a failure keeps what was known. */
  async function loadMarks(): Promise<void> {
    if (!shownLayer) return;
    loading?.abort();
    const { signal } = (loading = new AbortController());
    const list = await core.notes.ofLayer(shownLayer, { signal }).catch(() => null);
    if (list && !signal.aborted) marks.value = new Map(list.map((mark) => [mark.channel, mark]));
  }

  async function loadTags(): Promise<void> {
    loadingTags?.abort();
    const { signal } = (loadingTags = new AbortController());
    const list = await core.notes.tags(undefined, { signal }).catch(() => null);
    if (list && !signal.aborted) tags.value = list;
  }

  /**
   * Writes what is given and remembers how to undo it.
   * @param before what the change builds on; a change elsewhere meanwhile is refused with CONFLICT. `over`: write all the same
   */
  const change = (place: NotePlace, before: Note, part: Partial<NoteContents>, over = false): Promise<Note> => inTurn(async () => {
    const note = await core.notes.set({ place, ...(part.text === undefined ? {} : { text: part.text }), ...(part.tags ? { tags: [...part.tags] } : {}), ...(over ? {} : { revision: before.revision }) });
    const step = { place, before: contentsOf(before), after: contentsOf(note) };
    if (!sameContents(step.before, step.after)) {
      done.value = [...done.value, step].slice(-mostSteps);
      undone.value = [];
    }
    refresh();
    return note;
  });

  const undo = (): Promise<StepOutcome> => inTurn(async () => {
    const step = done.value.at(-1);
    if (!step) return { kind: 'nothing' };
    const outcome = await takeStep(step.place, step.after, step.before);
    done.value = done.value.filter((each) => each !== step);
    if (outcome.kind === 'done') undone.value = [...undone.value, step];
    return outcome;
  });

  const redo = (): Promise<StepOutcome> => inTurn(async () => {
    const step = undone.value.at(-1);
    if (!step) return { kind: 'nothing' };
    const outcome = await takeStep(step.place, step.before, step.after);
    undone.value = undone.value.filter((each) => each !== step);
    if (outcome.kind === 'done') done.value = [...done.value, step];
    return outcome;
  });

  async function takeStep(place: NotePlace, from: NoteContents, to: NoteContents): Promise<StepOutcome> {
    const present = await core.notes.get({ place }).catch((thrown: unknown) => {
      // An index that was deleted meanwhile must not stand in the way of the steps before it.
      if (toFailure(thrown).code === 'NOT_FOUND') return null;
      throw thrown;
    });
    if (!present || !sameContents(contentsOf(present), from)) return { kind: 'changedElsewhere' };
    await core.notes.set({ place, text: to.text, tags: [...to.tags], revision: present.revision });
    refresh();
    return { kind: 'done', place, what: from.text === to.text ? 'tags' : 'text' };
  }

  async function importDocument(document: NotesDocument): Promise<NotesImport> {
    const report = await core.notes.import({ document });
    refresh();
    return report;
  }

  function refresh(): void {
    changes.value += 1;
    void loadMarks();
    void loadTags();
  }

  watch(() => workspaces.open?.id, (now, before) => {
    if (before === undefined) return;
    [done.value, undone.value, tags.value, marks.value, shownLayer] = [[], [], [], new Map(), null];
    if (now) void loadTags();
  });
  watch(() => connection.revivals, refresh);

  return { marks, tags, changes, canUndo, canRedo, showLayer, loadTags, change, undo, redo, importDocument };
});

function contentsOf({ text, tags }: Note): NoteContents {
  return { text, tags };
}
