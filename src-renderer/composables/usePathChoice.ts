/**
 * Choosing a file or folder of the core's machine: a native dialog where the desktop offers one, otherwise the folder browser over
 * files.list, which the caller shows while `browsing` is set.
 */
import { ref, type Ref } from 'vue';

export type PathKind = 'model' | 'images' | 'workspace' | 'folder';

export interface PathChoice {
  /** True while the folder browser is to be shown. */
  readonly browsing: Ref<boolean>;
  /** Asks for a path; `chosen` is called with it, never on cancel. */
  readonly ask: () => Promise<void>;
}

export function usePathChoice(kind: PathKind, chosen: (path: string) => void): PathChoice {
  const browsing = ref(false);

  async function ask(): Promise<void> {
    const desktop = window.switchbackDesktop;
    if (!desktop) {
      browsing.value = true;
      return;
    }
    const path = await { model: desktop.chooseModel, images: desktop.chooseImageFolder, workspace: desktop.chooseWorkspace, folder: desktop.chooseImageFolder }[kind]();
    if (path !== null) chosen(path);
  }

  return { browsing, ask };
}

const modelEndings = ['.onnx', '.caffemodel', '.prototxt', '.h5', '.hdf5', '.keras', '.json', '.pb'];

/** Whether a dropped path is taken for a model; everything else is taken for a folder of images. */
export function looksLikeModel(path: string): boolean {
  return modelEndings.some((ending) => path.toLowerCase().endsWith(ending));
}
