/** Files of a model's prepared form; the graph names the weights, so both must stay together. */
export const PREPARED_GRAPH_FILE = 'graph.onnx';
export const PREPARED_WEIGHTS_FILE = 'weights.bin';
