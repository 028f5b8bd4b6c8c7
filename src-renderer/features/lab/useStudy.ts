/**
 * One tool's study: begun, watched while it grows, stopped, and opened again. Its id stands in the address, so that a link brings the result back; a tool that is opened without one shows the newest
 * that is kept for the picture.
 */
import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue';
import { core } from '../../api/client.ts';
import { toFailure, wasCalledOff } from '../../api/failure.ts';
import { follow } from '../../api/follow.ts';
import type { LabNumbers, LabResult, LabResultPicture, LabStudy, LabStudyKind, LabStudyWish } from '../../api/records.ts';
import { useConnection } from '../../stores/connection.ts';
import type { PlainError } from '../../../src-shared/errors.ts';
import { useLabPlace } from './useLabPlace.ts';

export interface LabQuestion {
  readonly index: string;
  /** Null while none is given. */
  readonly picture: string | null;
}

export interface StudyControl<K extends LabStudyKind = LabStudyKind> {
  readonly result: ShallowRef<LabResult | null>;
  /** Settings of the shown result. */
  readonly study: ComputedRef<Extract<LabStudy, { kind: K }> | null>;
  readonly numbers: ComputedRef<Extract<LabNumbers, { kind: K }> | null>;
  /** Looking for a kept result, or waiting for the first word of one. */
  readonly opening: Ref<boolean>;
  /** Being started, or running. */
  readonly running: ComputedRef<boolean>;
  /** Why it did not begin, cannot be shown, or failed. */
  readonly failure: ComputedRef<PlainError | null>;
  readonly picture: (name: string) => LabResultPicture | null;
  readonly start: (study: Extract<LabStudyWish, { kind: K }>, again?: boolean) => Promise<void>;
  readonly stop: () => void;
  /** Forgets the shown result, here and in the workspace. */
  readonly remove: () => Promise<void>;
}

/** @param needsPicture false for an ascent, which may begin from nothing: all of the network's are then looked through for the newest */
export function useStudy<K extends LabStudyKind>(kind: K, asked: () => LabQuestion, needsPicture = true): StudyControl<K> {
  const { place, adjust } = useLabPlace();
  const connection = useConnection();
  const result = shallowRef<LabResult | null>(null);
  const refusal = shallowRef<PlainError | null>(null);
  const opening = ref(false);
  const starting = ref(false);
  let stopFollowing: (() => void) | null = null;
  let search: AbortController | null = null;

  function open(id: string | null): void {
    stopFollowing?.();
    stopFollowing = null;
    if (id !== result.value?.id) result.value = null;
    if (id === null) return;
    opening.value = result.value === null;
    stopFollowing = follow<LabResult>({
      open: (signal) => core.lab.watch({ id }, { signal }),
      receive: (news) => {
        opening.value = false;
        refusal.value = null;
        if (news.kind === kind) result.value = news;
        else adjust({ tool: news.kind });
      },
      ended: () => (stopFollowing = null),
      refused: (why) => {
        opening.value = false;
        refusal.value = why;
      },
    });
  }

  /** The newest of this kind that the workspace keeps. */
  async function findKept(): Promise<void> {
    search?.abort();
    const { index, picture } = asked();
    if (needsPicture && picture === null) return;
    const controller = (search = new AbortController());
    opening.value = true;
    try {
      const kept = await core.lab.list({ index, ...(needsPicture && picture !== null ? { picture } : {}) }, { signal: controller.signal });
      const newest = kept.find((each) => each.kind === kind && (each.state === 'done' || each.state === 'running'));
      if (controller.signal.aborted || place.value.result !== null) return;
      opening.value = false;
      if (newest) adjust({ result: newest.id });
    } catch (thrown) {
      if (controller.signal.aborted || wasCalledOff(thrown)) return;
      opening.value = false;
      refusal.value = toFailure(thrown);
    }
  }

  async function start(study: Extract<LabStudyWish, { kind: K }>, again = false): Promise<void> {
    search?.abort();
    const { index, picture } = asked();
    starting.value = true;
    refusal.value = null;
    try {
      const { id } = await core.lab.start({ index, ...(picture === null ? {} : { picture }), study, afresh: again });
      if (id === result.value?.id) open(id);
      else adjust({ result: id });
    } catch (thrown) {
      refusal.value = toFailure(thrown);
    } finally {
      starting.value = false;
    }
  }

  async function remove(): Promise<void> {
    const id = result.value?.id;
    if (id === undefined) return;
    try {
      await core.lab.delete({ id });
      stopFollowing?.();
      result.value = null;
      adjust({ result: null });
    } catch (thrown) {
      refusal.value = toFailure(thrown);
    }
  }

  watch(() => place.value.result, open, { immediate: true });
  watch(
    () => [place.value.result === null, asked().index, asked().picture].join(' '),
    () => place.value.result === null && !starting.value && void findKept(),
    { immediate: true },
  );
  watch(() => connection.revivals, () => result.value?.state === 'running' && stopFollowing === null && open(place.value.result));
  onScopeDispose(() => {
    stopFollowing?.();
    search?.abort();
  });

  return {
    result,
    study: computed(() => (result.value?.study.kind === kind ? (result.value.study as Extract<LabStudy, { kind: K }>) : null)),
    numbers: computed(() => (result.value?.numbers?.kind === kind ? (result.value.numbers as Extract<LabNumbers, { kind: K }>) : null)),
    opening,
    running: computed(() => starting.value || result.value?.state === 'running'),
    failure: computed(() => refusal.value ?? result.value?.error ?? null),
    picture: (name) => result.value?.pictures.find((each) => each.name === name) ?? null,
    start,
    stop: () => void (result.value && core.lab.cancel({ id: result.value.id }).catch(() => undefined)),
    remove,
  };
}
