// Right and wrong calls of the library's API: what `// @ts-expect-error` precedes has to be refused.

import createClient from "openapi-fetch";

import type { components, paths } from "./client";

type Book = components["schemas"]["Book"];

const api = createClient<paths>({ baseUrl: "https://library.example" });

export async function find(): Promise<string[]> {
  const { data, error } = await api.GET("/api/books", {
    params: { query: { limit: 5, genre: ["novel", "poems"], in_stock: true, sort: "isbn" } },
  });
  if (error !== undefined) {
    // @ts-expect-error: a value has no such member
    error.errors[0]?.reason;
    return error.errors.map((value) => `${value.in} ${value.pointer}: ${value.detail}`);
  }
  // @ts-expect-error: it is a number
  const total: string = data.total;
  return data.books.map((book: Book) => `${book.title} (${book.copies}) of ${data.total}`);
}

export async function wrongQueries(): Promise<void> {
  // @ts-expect-error: a string is not a number
  await api.GET("/api/books", { params: { query: { limit: "5" } } });
  // @ts-expect-error: there is no such genre
  await api.GET("/api/books", { params: { query: { genre: ["drama"] } } });
  // @ts-expect-error: there is no such path
  await api.GET("/api/boks");
  // @ts-expect-error: the path has no such method
  await api.PUT("/api/books", {});
  // @ts-expect-error: the path needs its parameter
  await api.GET("/api/books/{isbn}", {});
  // @ts-expect-error: the cookie is required
  await api.GET("/api/stock", {});
}

export async function add(): Promise<void> {
  const { data, error, response } = await api.POST("/api/books", {
    body: {
      isbn: "9780141439518",
      title: "Emma",
      genre: "novel",
      cents: 0,
      keywords: [],
      form: { kind: "audio", minutes: 900.5 },
    },
  });
  if (response.status === 409) {
    console.log(error?.detail);
  }
  console.log(data?.isbn.length);
  const rest = { isbn: "9780141439518", genre: "novel", cents: 0, keywords: [] } as const;
  // @ts-expect-error: the title is missing
  await api.POST("/api/books", { body: { ...rest, form: { kind: "paper", pages: 1 } } });
  const book = { ...rest, title: "Emma" };
  // @ts-expect-error: a book on paper has pages
  await api.POST("/api/books", { body: { ...book, form: { kind: "paper", minutes: 1 } } });
  // @ts-expect-error: there is no such form
  await api.POST("/api/books", { body: { ...book, form: { kind: "film" } } });
}

export async function removeBook(isbn: string): Promise<boolean> {
  const { response } = await api.DELETE("/api/books/{isbn}", { params: { path: { isbn } } });
  // @ts-expect-error: the number is part of the path
  await api.DELETE("/api/members/{id}/loans/{number}", { params: { path: { id: "1" } } });
  return response.ok;
}
