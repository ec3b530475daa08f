import type { TextSlot } from './traits.ts';

/** A place in a request or response, as a chain: its path is only written out for who asks. */
export class Place {
  readonly #above: Place | undefined;
  readonly #name: string;
  readonly #index: number | undefined;

  constructor(name: string, index?: number, above?: Place) {
    this.#above = above;
    this.#name = name;
    this.#index = index;
  }

  /** A field of what stands here, or an item of a field that is a list. */
  at(name: string, index?: number): Place {
    return new Place(`.${name}`, index, this);
  }

  /** An item of the list that stands here. */
  item(index: number): Place {
    return new Place('', index, this);
  }

  get path(): string {
    const here = this.#index === undefined ? this.#name : `${this.#name}[${this.#index}]`;
    return this.#above === undefined ? here : this.#above.path + here;
  }
}

export class Slot implements TextSlot {
  readonly kind: TextSlot['kind'];
  readonly form: TextSlot['form'];
  readonly #place: Place;
  readonly #field: string;

  /** `field` is below the place; empty for the place itself. */
  constructor(place: Place, field: string, kind: TextSlot['kind'], form: TextSlot['form'] = 'text') {
    this.#place = place;
    this.#field = field;
    this.kind = kind;
    this.form = form;
  }

  get path(): string {
    return this.#place.path + this.#field;
  }
}
