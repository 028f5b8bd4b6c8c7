/** The thumbnails of one map for as long as it is shown, and a count that tells when there is something new to draw. */
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue';
import { useConnection } from '../../stores/connection.ts';
import type { PlainError } from '../../../src-shared/errors.ts';
import { createThumbnails, type SheetWay, type Thumbnails } from './thumbnails.ts';

export interface ShownThumbnails {
  readonly thumbnails: ShallowRef<Thumbnails | null>;
  readonly arrived: Ref<number>;
  /** Pictures are on their way. */
  readonly busy: Ref<boolean>;
  /** Why some could not be had. */
  readonly failure: Ref<PlainError | null>;
}

/** `way`: null while there are no pictures. They are begun anew when `subject` changes. */
export function useThumbnails(subject: () => string | null, way: () => SheetWay): ShownThumbnails {
  const connection = useConnection();
  const thumbnails = shallowRef<Thumbnails | null>(null);
  const arrived = ref(0);
  const busy = ref(false);
  const failure = ref<PlainError | null>(null);

  function arrive(): void {
    arrived.value += 1;
    failure.value = thumbnails.value?.failure() ?? null;
  }

  watch(
    subject,
    (now) => {
      thumbnails.value?.dispose();
      failure.value = null;
      busy.value = false;
      thumbnails.value = now === null ? null : createThumbnails(way(), arrive, (isBusy) => (busy.value = isBusy));
    },
    { immediate: true },
  );
  watch(() => connection.revivals, () => thumbnails.value?.retry());
  onScopeDispose(() => thumbnails.value?.dispose());
  return { thumbnails, arrived, busy, failure };
}
