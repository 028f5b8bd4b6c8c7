/**
 * A picture that never flickers: when its address changes, the old one stays until the new one is loaded and decoded. Nothing is asked for until it has
 * been wanted for a moment, and a request under way is called off when its scope ends.
 */
import { inject, onScopeDispose, shallowRef, watch, type InjectionKey, type Ref, type ShallowRef } from 'vue';
import { toFailure, wasCalledOff } from '../api/failure.ts';
import { fetchPicture, heldPicture, type PictureLane } from '../api/pictures.ts';
import { useConnection } from '../stores/connection.ts';
import type { PlainError } from '../../src-shared/errors.ts';

export interface WantedPicture {
  readonly src: string;
  /** What the picture is of: another subject clears the old picture at once. */
  readonly subject: string;
  readonly lane: PictureLane;
  /** Lets a request under way end before a newer address is asked for, so that a picture that changes often is seen at all. */
  readonly patient: boolean;
}

export interface SteadyPicture {
  /** Address of the decoded picture, null while there is none. */
  readonly shown: ShallowRef<string | null>;
  readonly failure: ShallowRef<PlainError | null>;
  readonly busy: ShallowRef<boolean>;
  readonly load: () => Promise<void>;
}

/** Given by an area while what is in it only passes by: its pictures are asked for when it comes to rest. What would be made too late holds back what is looked at. */
export const passingBy: InjectionKey<Readonly<Ref<boolean>>> = Symbol('passing by');

const settleMs = 60;
/** Time for the elements that show an address to have taken the next one. */
const releaseAfterMs = 1000;

export function useSteadyPicture(wanted: () => WantedPicture | null): SteadyPicture {
  const connection = useConnection();
  const passing = inject(passingBy, null);
  const shown = shallowRef<string | null>(null);
  const failure = shallowRef<PlainError | null>(null);
  const busy = shallowRef(false);
  let current: AbortController | null = null;

  async function load(): Promise<void> {
    const picture = wanted();
    if (!picture) return;
    const controller = new AbortController();
    current = controller;
    busy.value = true;
    failure.value = null;
    try {
      const blob = heldPicture(picture.src) ?? (await afterSettling(picture, passing, controller.signal));
      const address = URL.createObjectURL(blob);
      await decoded(address);
      if (controller.signal.aborted) return URL.revokeObjectURL(address);
      replace(address);
    } catch (thrown) {
      if (controller.signal.aborted || wasCalledOff(thrown)) return;
      failure.value = toFailure(thrown);
    } finally {
      if (current === controller) {
        current = null;
        busy.value = false;
        if (!controller.signal.aborted && wanted() && wanted()!.src !== picture.src) void load();
      }
    }
  }

  function replace(address: string | null): void {
    const old = shown.value;
    shown.value = address;
    if (old) setTimeout(() => URL.revokeObjectURL(old), releaseAfterMs);
  }

  function callOff(): void {
    current?.abort();
    current = null;
    busy.value = false;
  }

  watch(
    wanted,
    (now, before) => {
      if (now && before && now.src === before.src && now.subject === before.subject) return;
      const sameSubject = now !== null && now.subject === before?.subject;
      if (!sameSubject) replace(null);
      if (current && sameSubject && now.patient) return;
      callOff();
      void load();
    },
    { immediate: true },
  );
  watch(() => connection.revivals, () => failure.value && void load());
  onScopeDispose(() => {
    callOff();
    replace(null);
  });

  return { shown, failure, busy, load };
}

async function afterSettling(picture: WantedPicture, passing: Readonly<Ref<boolean>> | null, signal: AbortSignal): Promise<Blob> {
  do {
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    signal.throwIfAborted();
  } while (passing?.value);
  return fetchPicture(picture.src, picture.lane, signal);
}

async function decoded(address: string): Promise<void> {
  const image = new Image();
  image.src = address;
  await image.decode();
}
