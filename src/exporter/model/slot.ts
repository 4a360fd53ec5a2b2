/** Where the current model stands: the only thing that training and scoring share. */

import type { Model } from './model.js';

/** Holds one model. Readers take it once for each pass; the model itself never changes. */
export class ModelSlot {
  #model: Model | undefined;

  get(): Model | undefined {
    return this.#model;
  }

  set(model: Model): void {
    this.#model = model;
  }
}
