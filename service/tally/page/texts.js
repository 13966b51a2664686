// Every word of the page, in Vietnamese and English.

const TEXTS = {
  en: {
    title: "tally", language: "Language", keys: "Keys", close: "Close", watch: "Clip", panel: "Count",
    stage: "Picture. Class keys mark a vehicle in the frame shown; Escape leaves it, the question mark lists all keys.",
    place: "Place in the clip", loading: "Opening the clip…",
    play: "Play", pause: "Pause", previous: "One frame back", next: "One frame on",
    back1: "One second back", forward1: "One second on", back5: "Five seconds back", forward5: "Five seconds on",
    slower: "Slower", faster: "Faster", slow: "{real} reached",
    lastMark: "To the last mark", lastShort: "last mark",
    enlarge: "Enlarge around the chosen gate", enlargeShort: "zoom",
    gate: "Gate", total: "Sum", in: "in", out: "out", all: "All",
    enteredBy: "Entered by", notMarked: "not marked", movementHint: "for movements, ⇧1–9",
    left: "left", through: "through", right: "right", u_turn: "U-turn",
    marks: "Marks", noMarks: "None yet. Choose a gate, then press a class key when a vehicle passes it.",
    undo: "Take the last change back", undoShort: "undo", class: "Class", unsure: "not sure",
    moveHere: "Move the mark to the frame shown", moveHereShort: "move here",
    remove: "Delete the mark", removeShort: "delete", note: "Note",
    frame: "frame {number} / {last}", stretch: "counted {begin} – {end}",
    marked: "{class} at {gate} {direction}, {time}", changed: "Changed: {what}", removed: "Deleted: {what}",
    undone: "Taken back", nothingToUndo: "Nothing to take back", saved: "{count} marks, saved in {file}",
    outside: "This mark lies outside the counted stretch. Press [ to begin the stretch here, or ] to end it here.",
    noAnswer: "Not saved: the server does not answer. Start ngatu tally again and open the address it prints; all marks in the list are safe.",
    refused: "Open the address that ngatu tally printed, with all of what follows the #.",
    notSaved: "Not saved: {why}.", noPicture: "No picture: {why}.",
    motorcycle: "Motorcycle", car: "Car", bus: "Bus", truck: "Truck", bicycle: "Bicycle", unknown: "Unknown",
    helpMark: "Mark", helpMove: "Move in the clip", helpCorrect: "Correct",
    helpClass: "Choose a gate and its direction; when a vehicle passes, press the key of its class.",
    helpGate: "choose the gate; again: the other direction", helpTab: "next, previous gate (in the picture)",
    helpDirection: "direction in, out", helpOrigin: "gate it entered by, for movements; 0: none",
    helpPlay: "play, pause", helpFrame: "one frame", helpSecond: "one second", helpFive: "five seconds",
    helpSpeed: "slower, faster", helpEnds: "first, last frame", helpLast: "to the last mark",
    helpEnlarge: "enlarge around the chosen gate, or not",
    helpNeighbour: "previous, next mark: goes there and selects it",
    helpStretch: "the counted stretch begins, ends here; playing on from its end lengthens it",
    helpUndo: "take the last change back", helpReclass: "the selected mark becomes that class",
    helpSure: "selected mark: sure, not sure", helpDelete: "delete the selected mark",
    helpEdit: "edit the selected mark", helpEscape: "leave the picture, return to it", helpHelp: "this list",
  },
  vi: {
    title: "đếm tay", language: "Ngôn ngữ", keys: "Phím", close: "Đóng", watch: "Đoạn phim", panel: "Đếm",
    stage: "Hình. Phím loại xe ghi một xe trong hình đang xem; Escape để rời khỏi hình, dấu hỏi để xem các phím.",
    place: "Vị trí trong đoạn phim", loading: "Đang mở đoạn phim…",
    play: "Phát", pause: "Dừng", previous: "Lùi một hình", next: "Tiến một hình",
    back1: "Lùi một giây", forward1: "Tiến một giây", back5: "Lùi năm giây", forward5: "Tiến năm giây",
    slower: "Chậm hơn", faster: "Nhanh hơn", slow: "chỉ đạt {real}",
    lastMark: "Đến xe đã ghi cuối cùng", lastShort: "xe cuối",
    enlarge: "Phóng to quanh mặt cắt đang chọn", enlargeShort: "phóng",
    gate: "Mặt cắt", total: "Tổng", in: "vào", out: "ra", all: "Tất cả",
    enteredBy: "Đi vào từ", notMarked: "không ghi", movementHint: "để đếm hướng rẽ, ⇧1–9",
    left: "rẽ trái", through: "đi thẳng", right: "rẽ phải", u_turn: "quay đầu",
    marks: "Xe đã ghi", noMarks: "Chưa có. Chọn mặt cắt, rồi bấm phím loại xe khi xe đi qua.",
    undo: "Hoàn tác thay đổi cuối", undoShort: "hoàn tác", class: "Loại xe", unsure: "không chắc",
    moveHere: "Dời tới hình đang xem", moveHereShort: "dời tới đây",
    remove: "Xóa xe này", removeShort: "xóa", note: "Ghi chú",
    frame: "hình {number} / {last}", stretch: "đã đếm {begin} – {end}",
    marked: "{class} tại {gate} {direction}, {time}", changed: "Đã sửa: {what}", removed: "Đã xóa: {what}",
    undone: "Đã hoàn tác", nothingToUndo: "Không có gì để hoàn tác", saved: "{count} xe, đã lưu vào {file}",
    outside: "Xe này nằm ngoài đoạn đã đếm. Bấm [ để bắt đầu đoạn tại đây, hoặc ] để kết thúc đoạn tại đây.",
    noAnswer: "Chưa lưu: máy chủ không trả lời. Chạy lại ngatu tally và mở địa chỉ được in ra; các xe trong danh sách vẫn an toàn.",
    refused: "Hãy mở địa chỉ mà ngatu tally đã in ra, với toàn bộ phần sau dấu #.",
    notSaved: "Chưa lưu: {why}.", noPicture: "Không có hình: {why}.",
    motorcycle: "Xe máy", car: "Ô tô", bus: "Xe buýt", truck: "Xe tải", bicycle: "Xe đạp", unknown: "Không rõ",
    helpMark: "Ghi xe", helpMove: "Di chuyển trong đoạn phim", helpCorrect: "Sửa",
    helpClass: "Chọn mặt cắt và chiều; khi xe đi qua, bấm phím loại xe.",
    helpGate: "chọn mặt cắt; bấm lại: chiều ngược lại", helpTab: "mặt cắt sau, trước (khi ở trong hình)",
    helpDirection: "chiều vào, ra", helpOrigin: "mặt cắt xe đã đi vào, để đếm hướng rẽ; 0: không ghi",
    helpPlay: "phát, dừng", helpFrame: "một hình", helpSecond: "một giây", helpFive: "năm giây",
    helpSpeed: "chậm hơn, nhanh hơn", helpEnds: "hình đầu, hình cuối", helpLast: "đến xe đã ghi cuối cùng",
    helpEnlarge: "phóng to quanh mặt cắt đang chọn, hoặc thôi",
    helpNeighbour: "xe đã ghi trước, sau: đến đó và chọn xe đó",
    helpStretch: "đoạn đã đếm bắt đầu, kết thúc tại đây; phát tiếp từ cuối đoạn sẽ kéo dài đoạn",
    helpUndo: "hoàn tác thay đổi cuối", helpReclass: "đổi loại của xe đang chọn",
    helpSure: "xe đang chọn: chắc, không chắc", helpDelete: "xóa xe đang chọn",
    helpEdit: "sửa xe đang chọn", helpEscape: "rời khỏi hình, trở lại hình", helpHelp: "danh sách này",
  },
};

const REMEMBERED = "ngatu-language";
let language = localStorage.getItem(REMEMBERED) || (navigator.language.startsWith("vi") ? "vi" : "en");

/** A text in the chosen language; `{name}` in it is filled from `values`. */
export function text(key, values = {}) {
  return TEXTS[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export function chooseLanguage(chosen) {
  language = chosen;
  localStorage.setItem(REMEMBERED, chosen);
  translate();
}

/** Put the chosen language's words into all elements that ask for some. */
export function translate() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]")) element.ariaLabel = text(element.dataset.label);
  for (const element of document.querySelectorAll("[data-title]")) element.title = text(element.dataset.title);
  for (const element of document.querySelectorAll("[data-placeholder]")) {
    element.placeholder = text(element.dataset.placeholder);
  }
  for (const element of document.querySelectorAll("[data-language]")) {
    element.ariaPressed = String(element.dataset.language === language);
  }
}

/** Seconds as 1:02.345, and with hours from the first on. */
export function clock(seconds, digits = 3) {
  const scale = 10 ** digits;
  const whole = Math.round(seconds * scale);
  const minutes = Math.floor(whole / (60 * scale));
  const rest = ((whole % (60 * scale)) / scale).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}
