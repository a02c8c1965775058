// A message centre for one test: node smpp_centre.js PORT FOLDER-OF-THE-LIBRARY. Orders come on stdin, news go to stdout.
const smpp = require(process.argv[3]);
const readline = require("readline");
const say = (news) => console.log(JSON.stringify(news));
let last = null;
let count = 0;
const server = smpp.createServer((session) => {
  session.on("error", () => {});
  session.on("bind_transceiver", (pdu) => {
    const isKnown = pdu.system_id === "commonbeat" && pdu.password === "word";
    session.send(pdu.response({ command_status: isKnown ? 0 : smpp.ESME_RBINDFAIL }));
    if (isKnown) last = session;
    say({ bind: isKnown });
  });
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => { session.send(pdu.response()); say({ unbind: true }); });
  session.on("submit_sm", (pdu) => {
    count += 1;
    const id = (0xa0 + count).toString(16);
    session.send(pdu.response({ message_id: id }));
    const text = pdu.short_message.message;
    say({ submit: id, to: pdu.destination_addr, text: String(text), coding: pdu.data_coding, udh: !!pdu.short_message.udh });
  });
});
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const order = JSON.parse(line);
  if (order.hangup) { last.destroy(); return; }
  const more = order.udh ? { esm_class: 0x40 } : {};
  const short_message = order.udh ? { udh: Buffer.from(order.udh, "hex"), message: order.text } : order.text;
  const receipt = order.receipt ? { esm_class: 4 } : {};
  last.deliver_sm(
    { source_addr_ton: 1, source_addr_npi: 1, source_addr: "38344123456", destination_addr: "1550",
      short_message, ...more, ...receipt },
    (answer) => say({ acknowledged: answer.command_status }));
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => say({ ready: true }));
