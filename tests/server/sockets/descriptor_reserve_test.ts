import { DescriptorReserve } from "../../../src/server/sockets/descriptor_reserve.ts";
import { assertEquals } from "../../support/assert.ts";

Deno.test("C02: DescriptorReserve keeps some from clients, more where there are more backends", () => {
  const room = (max: number | undefined, backends: number) => {
    using reserve = new DescriptorReserve(max === undefined ? {} : { max }, backends);
    return reserve.roomForClients;
  };
  assertEquals([room(1024, 0), room(1024, 10), room(1024, 1000)], [960, 840, 512]);
  assertEquals([room(100, 0), room(1, 0), room(undefined, 5)], [50, 1, Infinity]);
});

Deno.test("C02: DescriptorReserve says how many have to be given back, until enough are free", () => {
  using reserve = new DescriptorReserve({ max: 1000 });
  assertEquals([reserve.look({ open: 100 }), reserve.isShort, reserve.hasPlenty], [0, false, true]);
  assertEquals([reserve.look({ open: 990 }), reserve.isShort], [22, true]);
  assertEquals([reserve.look({ open: 980 }), reserve.isShort], [0, true], "some, not enough");
  assertEquals([reserve.look({ open: 900 }), reserve.isShort], [0, false]);
  reserve.ranOut();
  assertEquals(reserve.isShort, true);
  // Not even one to count them with.
  assertEquals([reserve.look({}), reserve.isShort, reserve.hasPlenty], [32, true, false]);
  assertEquals([reserve.look({ open: 10 }), reserve.isShort], [0, false]);
});
