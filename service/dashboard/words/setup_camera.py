"""Texts of the page on which a camera's view is drawn."""

WORDS: dict[str, tuple[str, str]] = {
    "title": ("Vẽ vùng quan sát", "Draw a view"),
    "all_cameras": ("Tất cả camera", "All cameras"),
    "picture": ("Hình của camera", "The camera's picture"),
    "drawing": ("Hình vẽ trên khung hình của camera", "What is drawn on the camera's picture"),
    "tools": ("Công cụ vẽ", "Drawing tools"),
    "parts": ("Các phần của hình vẽ", "Parts of the drawing"),
    "add_gate": ("Vẽ vạch đếm", "Draw a gate"),
    "add_zone": ("Vẽ vùng", "Draw a zone"),
    "close_zone": ("Khép vùng", "Close the zone"),
    "undo": ("Hoàn tác", "Undo"),
    "redo": ("Làm lại", "Redo"),
    "save": ("Lưu phiên bản mới", "Save a version"),
    "no_picture": (
        "Chưa có hình mới từ camera. Hệ thống đang thử lại; bạn vẫn có thể vẽ.",
        "No fresh picture of the camera. It is tried again; you can draw all the same.",
    ),
    "how": (
        "Kéo các điểm bằng chuột hoặc ngón tay. Phím mũi tên di chuyển điểm đã chọn (giữ Shift để đi nhanh), "
        "Delete xóa, Esc bỏ chọn.",
        "Drag points by mouse or finger. Arrow keys move the chosen point (Shift: faster), Delete removes, "
        "Escape lets go.",
    ),
    "how_gate": (
        "Kéo một đường ngang lòng đường, nơi mọi xe đều đi qua.",
        "Drag a line across the road, where every vehicle passes.",
    ),
    "how_zone": (
        "Bấm từng góc của vùng; bấm lại góc đầu hoặc nhấn Enter để khép vùng.",
        "Click corner after corner; click the first again or press Enter to close the zone.",
    ),
    "how_rectangle": (
        "Bấm lần lượt bốn góc của một hình chữ nhật có thật trên mặt đường, ví dụ vạch sang đường.",
        "Click the four corners, in order around it, of a real rectangle on the road, such as a crossing.",
    ),
    "how_point": (
        "Bấm vào một điểm đã đo trên mặt đường, rồi nhập tọa độ của nó.",
        "Click a point of the road that was measured, then type its place.",
    ),
    "paths": ("Vết xe 10 phút qua", "Vehicles' paths of 10 minutes"),
    "grid": ("Lưới mét", "Grid of metres"),
    "ground": ("Hình nền", "Picture"),
    "ground_kept": ("Đường vắng", "Empty street"),
    "ground_live": ("Trực tiếp", "Live"),
    "begin": ("Camera này chưa có hình vẽ.", "Nothing is drawn on this camera's picture yet."),
    "begin_how": (
        "Hệ thống đề xuất vạch đếm từ các xe vừa chạy qua; bạn chỉ cần chỉnh lại rồi lưu.",
        "The system proposes gates from the vehicles that have just passed; adjust them, then save.",
    ),
    "propose": ("Đề xuất từ 10 phút vừa qua", "Propose from the last 10 minutes"),
    "propose_again": ("Đề xuất lại vạch đếm", "Propose gates anew"),
    "proposed": (
        "Đã đề xuất {gates} vạch đếm. Hãy chọn nhánh cho từng vạch.",
        "{gates} gates proposed. Choose the approach of each.",
    ),
    "nothing_passed": (
        "Chưa đủ xe chạy qua để đề xuất. Hãy để camera chạy thêm vài phút rồi thử lại, hoặc tự vẽ vạch đếm.",
        "Too few vehicles have passed to propose from. Let the camera run some minutes more, or "
        "draw the gates.",
    ),
    "nothing_kept": (
        "Chưa lưu vết xe nào của khoảng thời gian này. Hãy để camera chạy thêm vài phút rồi thử lại.",
        "No paths of vehicles are kept from that time. Let the camera run for some minutes and try again.",
    ),
    "doubt": (
        "Camera có thể đã bị lệch hướng từ khi vẽ. So hình vẽ với hình trực tiếp: nếu vẫn khớp thì xác nhận, "
        "nếu không thì chỉnh lại rồi lưu. Trước đó hệ thống không ghi vận tốc và mật độ.",
        "The camera may have moved since this was drawn. Compare it with the live picture: confirm it if it "
        "fits, else adjust it and save. Until then no speeds and densities are recorded.",
    ),
    "confirm": ("Hình vẽ vẫn khớp, xác nhận", "It fits: confirm"),
    "confirmed_now": ("Đã xác nhận hình vẽ.", "The view is confirmed."),
    "tab_gates": ("Vạch đếm", "Gates"),
    "tab_zones": ("Vùng", "Zones"),
    "tab_movements": ("Hướng rẽ", "Movements"),
    "tab_metres": ("Thước đo", "Metres"),
    "tab_try": ("Thử", "Try"),
    "tab_versions": ("Phiên bản", "Versions"),
    "about_gates": (
        "Xe đi theo mũi tên được tính là vào nút. Mỗi nhánh cần một vạch.",
        "Vehicles that pass along the arrow enter the junction. Each approach needs one gate.",
    ),
    "about_zones": (
        "Vùng của nhánh dùng để đo mật độ và hàng chờ trên đoạn đường nhìn thấy.",
        "An approach's zone measures density and queue on its visible stretch.",
    ),
    "about_movements": (
        "Một hướng rẽ là một cặp vạch: vào ở vạch này, ra ở vạch kia.",
        "A movement is a pair of gates: in by one, out by the other.",
    ),
    "about_metres": (
        "Để có vận tốc, mật độ và chiều dài hàng chờ, hãy cho biết kích thước thật trên mặt đường.",
        "For speeds, densities and lengths of queues, say how large something on the road is.",
    ),
    "about_try": (
        "Đếm lại một giờ vừa qua với hình đang vẽ. Không lưu gì cả.",
        "Count the last hour with what is drawn now. Nothing is kept.",
    ),
    "about_recount": (
        "Sau khi lưu, có thể đếm lại một giờ vừa qua: số liệu mới sẽ thay số liệu cũ của giờ đó.",
        "Once saved, the last hour can be counted again: the new figures replace those of that hour.",
    ),
    "about_versions": (
        "Mỗi lần lưu là một phiên bản; số liệu cũ vẫn theo phiên bản đã dùng khi đếm.",
        "Every save is a version; earlier figures stay with the version that counted them.",
    ),
    "no_gates": ("Chưa có vạch đếm nào.", "No gates yet."),
    "no_zones": ("Chưa có vùng nào.", "No zones yet."),
    "no_movements": ("Chưa có hướng rẽ nào.", "No movements yet."),
    "no_metres": ("Chưa có thước đo.", "Nothing is measured yet."),
    "no_versions": ("Chưa lưu phiên bản nào.", "No version is saved yet."),
    "without_approach": (
        "{count} vạch chưa thuộc nhánh nào: xe vẫn được đếm nhưng không tính cho nhánh.",
        "{count} gates belong to no approach: vehicles are counted, but for no approach.",
    ),
    "wrong": ("Cần sửa", "To be mended"),
    "in": ("vào", "in"),
    "out": ("ra", "out"),
    "approach": ("Nhánh", "Approach"),
    "no_approach": ("chưa chọn nhánh", "no approach"),
    "name": ("Tên", "Name"),
    "id": ("Mã", "Id"),
    "one_way": ("Chiều được phép", "Allowed direction"),
    "both_ways": ("Cả hai chiều", "Both"),
    "only_in": ("Chỉ vào", "In only"),
    "only_out": ("Chỉ ra", "Out only"),
    "reverse": ("Đảo chiều", "Reverse"),
    "first_end": ("Vạch {gate}, đầu thứ nhất", "Gate {gate}, first end"),
    "second_end": ("Vạch {gate}, đầu thứ hai", "Gate {gate}, second end"),
    "corner_of": ("Vùng {zone}, góc {number}", "Zone {zone}, corner {number}"),
    "ground_point": ("Điểm đo {number}", "Measured point {number}"),
    "kind": ("Loại vùng", "Kind"),
    "zone_approach": ("Đoạn đường của nhánh", "Stretch of an approach"),
    "zone_roi": ("Vùng theo dõi", "Region of interest"),
    "zone_no_stop": ("Vùng cấm dừng", "No stopping"),
    "about_approach": (
        "Đoạn đường nhìn thấy của nhánh, đến vạch dừng.",
        "The approach's visible stretch, up to its stop line.",
    ),
    "about_roi": ("Chỉ xe trong vùng này được đếm.", "Only vehicles within it are counted."),
    "about_no_stop": ("Xe dừng trong vùng này sẽ được báo.", "Vehicles that stand in it are told."),
    "stop_line": ("Vạch dừng", "Stop line"),
    "stop_line_own": ("Vạch duy nhất của nhánh", "The only gate of its approach"),
    "from_gate": ("Vào ở", "In by"),
    "to_gate": ("Ra ở", "Out by"),
    "turn": ("Rẽ", "Turn"),
    "fill": ("Điền mọi cặp vạch", "Fill in all pairs"),
    "delete_movement": ("Xóa hướng rẽ {id}", "Delete movement {id}"),
    "add_rectangle": ("Hình chữ nhật đã đo", "Measured rectangle"),
    "add_point": ("Thêm điểm đã đo", "Add a measured point"),
    "rectangle_how": (
        "Kéo bốn góc vào đúng chỗ trên mặt đường, rồi nhập hai cạnh.",
        "Drag the four corners to their places on the road, then type the two sides.",
    ),
    "length_m": ("Cạnh 1–2 (m)", "Side 1–2 (m)"),
    "width_m": ("Cạnh 2–3 (m)", "Side 2–3 (m)"),
    "points_how": (
        "Bốn điểm trở lên, trải đều trên mặt đường; tọa độ tính bằng mét về phía đông và phía bắc "
        "từ một mốc tùy ý.",
        "Four points or more, spread over the road; metres east and north of any origin.",
    ),
    "east": ("Đông (m)", "East (m)"),
    "north": ("Bắc (m)", "North (m)"),
    "longitude": ("Kinh độ", "Longitude"),
    "latitude": ("Vĩ độ", "Latitude"),
    "off": ("Lệch (m)", "Off by (m)"),
    "delete_point": ("Xóa điểm {number}", "Delete point {number}"),
    "remove_metres": ("Bỏ thước đo", "Remove the measurement"),
    "fits_always": (
        "Bốn điểm luôn khớp nên chưa biết sai số. Hãy so lưới {grid} m với vạch sơn trên đường, "
        "hoặc thêm điểm.",
        "Four points always fit, so the error is not known. Compare the grid of {grid} m with the road's "
        "markings, or add points.",
    ),
    "error_good": (
        "Tốt: sai số thường gặp {error} m trên {extent} m. Lưới {grid} m.",
        "Good: typically {error} m off over {extent} m. Grid of {grid} m.",
    ),
    "error_fair": (
        "Dùng được: sai số thường gặp {error} m trên {extent} m. Hãy xem lại điểm lệch nhiều nhất. "
        "Lưới {grid} m.",
        "Usable: typically {error} m off over {extent} m. Look again at the point that is off most. Grid of "
        "{grid} m.",
    ),
    "try": ("Đếm thử một giờ vừa qua", "Try it on the last hour"),
    "counting": ("Đang đếm…", "Counting…"),
    "watched": (
        "Trong một giờ vừa qua có {minutes} phút được theo dõi: {crossings} lượt xe qua vạch.",
        "Of the last hour {minutes} minutes were watched: {crossings} crossings.",
    ),
    "gate_or_movement": ("Vạch hoặc hướng rẽ", "Gate or movement"),
    "way": ("Chiều", "Way"),
    "as_drawn": ("Hình đang vẽ", "As drawn"),
    "as_saved": ("Bản đã lưu", "As saved"),
    "difference": ("Chênh lệch", "Difference"),
    "recount_title": ("Đếm lại", "Count again"),
    "recount": ("Đếm lại một giờ vừa qua", "Count the last hour again"),
    "recounted": (
        "Đã đếm lại {minutes} phút với phiên bản {version}: {crossings} lượt xe.",
        "{minutes} minutes counted again with version {version}: {crossings} crossings.",
    ),
    "not_saved": ("Chưa lưu", "Not saved"),
    "saved": ("Đã lưu, phiên bản {version}", "Saved, version {version}"),
    "nothing_drawn": ("Chưa vẽ", "Nothing drawn"),
    "faults": ("{count} chỗ cần sửa", "{count} to be mended"),
    "saved_now": (
        "Đã lưu phiên bản {version}. Camera đếm theo bản này sau vài giây.",
        "Version {version} is saved. The camera counts with it within seconds.",
    ),
    "changed_meanwhile": (
        "Người khác vừa lưu phiên bản {version}. Xem ở thẻ Phiên bản; lưu lần nữa nếu muốn thay bản đó.",
        "Somebody else has saved version {version}. See it under Versions; save again to replace it.",
    ),
    "version": ("Phiên bản {version}", "Version {version}"),
    "present": ("đang dùng", "in use"),
    "has": (
        "{gates} vạch, {zones} vùng, {movements} hướng rẽ",
        "{gates} gates, {zones} zones, {movements} movements",
    ),
    "confirmed": ("Xác nhận {time}, {who}", "Confirmed {time}, {who}"),
    "take_version": ("Vẽ tiếp từ bản này", "Draw on from it"),
    "version_taken": (
        "Đã lấy lại phiên bản {version}. Lưu để dùng nó.",
        "Version {version} is drawn again. Save it to use it.",
    ),
}
