import { type Answer, compute, type Question } from './compute';

const worker = self as unknown as {
  onmessage: (e: MessageEvent<Question>) => void;
  postMessage(answer: Answer): void;
};

worker.onmessage = async ({ data }) => {
  try {
    worker.postMessage({ id: data.id, digest: await compute(data) });
  } catch {
    worker.postMessage({ id: data.id }); // the file cannot be read
  }
};
