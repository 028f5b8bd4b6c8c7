/**
 * Networks of other programs that Switchback does not read, known by their content, each with the line that makes an ONNX of it. Most people
 * hold one of these: PyTorch (zip, TorchScript, exported program, legacy pickle), safetensors, TensorFlow (Lite, frozen graph, SavedModel), Core ML.
 * Signatures: pytorch.org serialization notes, huggingface.co safetensors format, TensorFlow schema.fbs, graph.proto and saved_model.proto, Core ML Model.proto.
 */
import { zipEntryNames } from './zipDirectory.ts';
import { topFields } from './protobuf/topFields.ts';

/** What the file is and how to make an ONNX of it, or undefined for a file that is none of these. */
export function describeForeignFile(bytes: Uint8Array, fileName: string): string | undefined {
  for (const describe of recognizers) {
    const sentence = describe(bytes, fileName);
    if (sentence !== undefined) return sentence;
  }
  return undefined;
}

type Recognizer = (bytes: Uint8Array, fileName: string) => string | undefined;

const exportLine = 'torch.onnx.export(model.eval(), torch.zeros(1, 3, 224, 224), "model.onnx")';

const recognizers: readonly Recognizer[] = [pyTorchArchive, legacyPyTorch, pickle, safetensors, flatbuffer, gguf, savedModel, frozenGraph, coreMl];

/** torch.save since 1.6 is a zip: `*.pkl` beside the weights; TorchScript adds `code/`, an exported program its own marks. */
function pyTorchArchive(bytes: Uint8Array, fileName: string): string | undefined {
  const names = zipEntryNames(bytes);
  if (!names) return undefined;
  if (names.some((name) => /(^|\/)archive_format$/.test(name)) || (names.some((name) => /(^|\/)models\/.*\.json$/.test(name)) && names.some((name) => /(^|\/)\.?version$|serialized_exported_program/.test(name)))) {
    return `${fileName} is an exported PyTorch program (torch.export). Load it in Python and export it with: torch.onnx.export(torch.export.load("${fileName}"), (), "model.onnx", dynamo=True)`;
  }
  if (names.some((name) => /(^|\/)code\/.*\.py$/.test(name)) || names.some((name) => /(^|\/)constants\.pkl$/.test(name))) {
    return `${fileName} is a TorchScript program: it holds its network as PyTorch code, which Switchback does not run. Load it in Python and export it with: torch.onnx.export(torch.jit.load("${fileName}").eval(), torch.zeros(1, 3, 224, 224), "model.onnx", dynamo=False)`;
  }
  return names.some((name) => /(^|\/)data\.pkl$/.test(name)) ? pyTorchWeights(fileName) : undefined;
}

function pyTorchWeights(fileName: string): string {
  return `${fileName} is a PyTorch file: it holds weights, but not the network in a form others can run. Load it in Python and export it with: ${exportLine}`;
}

/** torch.save before 1.6: pickles in a row, the first of them a magic number of ten bytes (protocol 2 to 5). */
function legacyPyTorch(bytes: Uint8Array, fileName: string): string | undefined {
  const magic = '\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019';
  const start = latin(bytes, 32);
  return /^\u0080[\u0002-\u0005]/.test(start) && start.includes(magic) ? pyTorchWeights(fileName) : undefined;
}

/** Any other Python object: whole models saved by joblib, fastai or plain pickle. */
function pickle(bytes: Uint8Array, fileName: string): string | undefined {
  if (!/^\u0080[\u0002-\u0005][c}\](\u0095\u008cX]/.test(latin(bytes, 8))) return undefined;
  return `${fileName} is a Python pickle: opening it would run code from the file, which Switchback does not. Load it in Python, and if it holds a PyTorch network export it with: ${exportLine}`;
}

/** A length of eight bytes, then that much JSON which names the tensors. */
function safetensors(bytes: Uint8Array, fileName: string): string | undefined {
  if (bytes.length < 10) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length < 2n || length > BigInt(bytes.length - 8) || !/^\{\s*("|\})/.test(latin(bytes.subarray(8), 16))) return undefined;
  return `${fileName} is a safetensors file: it holds weights only, not the network. Build the network in Python, load the weights and export it with: model.load_state_dict(safetensors.torch.load_file("${fileName}")); ${exportLine}`;
}

/** FlatBuffers carry their kind in bytes 4 to 8. */
function flatbuffer(bytes: Uint8Array, fileName: string): string | undefined {
  const kind = latin(bytes.subarray(4), 4);
  if (kind === 'TFL3') return `${fileName} is a TensorFlow Lite model. Make an ONNX of it with: python -m tf2onnx.convert --tflite ${fileName} --output model.onnx`;
  if (kind === 'ORTM') return `${fileName} is in the ORT format of onnxruntime, which is made from an ONNX file and cannot be turned back. Open the .onnx file that it was made from.`;
  return undefined;
}

function gguf(bytes: Uint8Array, fileName: string): string | undefined {
  return latin(bytes, 4) === 'GGUF' ? `${fileName} is a GGUF file: the weights of a language model, which has no spatial channels to look at. Open a convolutional network.` : undefined;
}

/** SavedModel: a schema version, then graphs; nothing else stands at the top. */
function savedModel(bytes: Uint8Array, fileName: string): string | undefined {
  const fields = topFields(bytes, 8);
  if (!fields || fields.length < 2 || fields[0]!.number !== 1 || fields[0]!.block || !fields.slice(1).every(({ number, block }) => number === 2 && block)) return undefined;
  const inner = topFields(fields[1]!.block!, 2);
  if (inner?.[0]?.number !== 1 || !inner[0].block) return undefined;
  return `${fileName} is a TensorFlow SavedModel. Make an ONNX of its folder with: python -m tf2onnx.convert --saved-model FOLDER --output model.onnx`;
}

/** Frozen graph: nodes at the top, each with a name and the operation that it does; the first ones feed and hold constants. */
function frozenGraph(bytes: Uint8Array, fileName: string): string | undefined {
  const fields = topFields(bytes, 4);
  const node = fields?.[0]?.number === 1 ? fields[0].block : undefined;
  const inner = node ? topFields(node, 3) : undefined;
  const operation = inner?.find(({ number }) => number === 2)?.block;
  if (inner?.[0]?.number !== 1 || !operation || !/^(Placeholder|Const|VarHandleOp|NoOp|Identity|Conv2D)\w*$/.test(latin(operation, 40))) return undefined;
  return `${fileName} is a frozen TensorFlow graph. Make an ONNX of it with: python -m tf2onnx.convert --graphdef ${fileName} --inputs INPUT:0 --outputs OUTPUT:0 --output model.onnx`;
}

/** Core ML: a version, a description, and the network under a number of 200 or more. */
function coreMl(bytes: Uint8Array, fileName: string): string | undefined {
  const fields = topFields(bytes, 8);
  const [version, description] = fields ?? [];
  if (version?.number !== 1 || version.block || description?.number !== 2 || !description.block || !fields!.some(({ number }) => number >= 200 && number < 3000)) return undefined;
  return `${fileName} is a Core ML model. Open the network that it was converted from, or, for one saved as a neural network, make an ONNX of it in Python: onnxmltools.convert_coreml(coremltools.utils.load_spec("${fileName}"))`;
}

function latin(bytes: Uint8Array, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(length, bytes.length)).toString('latin1');
}
