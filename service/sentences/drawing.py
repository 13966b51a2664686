"""What is drawn on a camera's picture: gates, zones, movements, measured points."""

PAIRS: tuple[tuple[str, str], ...] = (
    ("its two ends are the same point; move one", "hai đầu trùng nhau; hãy dời một đầu"),
    (
        "it crosses itself or has no area; give its corners in order around it",
        "các cạnh cắt nhau hoặc vùng không có diện tích; hãy sắp lại các góc theo vòng",
    ),
    (
        "only a zone of the kind approach has a stop line; remove it",
        "chỉ vùng của nhánh mới có vạch dừng; hãy bỏ đi",
    ),
    (
        "give either ground: [x, y] in metres or lonlat: [longitude, latitude]",
        "hãy cho ground: [x, y] bằng mét hoặc lonlat: [kinh độ, vĩ độ], không cả hai",
    ),
    ("give either points or a rectangle", "hãy cho các điểm đo hoặc một hình chữ nhật, không cả hai"),
    ("{count} points are too few; measure four or more", "{count} điểm là quá ít; hãy đo ít nhất bốn điểm"),
    (
        "some points have ground and others lonlat; use one",
        "có điểm ghi ground, có điểm ghi lonlat; hãy dùng một loại",
    ),
    ("two {part} are called {name}; rename one", "hai {part} cùng mã {name}; hãy đổi mã một cái"),
    ("there is no gate {gate}; gates: {known}", "không có vạch {gate}; có các vạch: {known}"),
    ("two movements have the same pair of gates; keep one", "hai hướng rẽ cùng một cặp vạch; hãy giữ một"),
    (
        "there is no approach {approach}; approaches: {known}",
        "không có nhánh {approach}; có các nhánh: {known}",
    ),
    (
        "zones {one} and {other} are both of the approach {approach}; keep one",
        "vùng {one} và {other} cùng thuộc nhánh {approach}; hãy giữ một",
    ),
    (
        "the distortion folds the picture over itself; correct k1 and k2, which are in picture widths",
        "hệ số méo làm hình gập lên chính nó; hãy sửa k1 và k2, tính theo bề ngang hình",
    ),
    (
        "the points determine no mapping; spread them over the road, not along a line",
        "các điểm chưa đủ để xác định mặt đường; hãy rải các điểm ra, đừng nằm trên một đường thẳng",
    ),
    (
        "on the {plane} all points but number {number} lie on a line; add points to both sides of it",
        "trên {plane}, mọi điểm trừ điểm {number} đều thẳng hàng; hãy thêm điểm ở hai bên",
    ),
    (
        "the points are not in the same order on the picture and on the ground: some would lie beyond the "
        "horizon; see that each image point belongs to its ground point",
        "thứ tự điểm trên hình và trên mặt đường không khớp: có điểm sẽ nằm ngoài đường chân trời; hãy xem "
        "mỗi điểm trên hình có đúng với điểm trên mặt đường không",
    ),
    (
        "the points are mirrored: the ground would be seen from below; ground coordinates run to the right "
        "and upwards on a map (east, north), so change the sign of y if yours runs downwards",
        "các điểm bị lật như nhìn mặt đường từ dưới lên; tọa độ mặt đường tính sang phải và lên trên như "
        "trên bản đồ (đông, bắc), nên hãy đổi dấu y nếu đang tính xuống dưới",
    ),
    (
        "the points contradict each other: they are up to {most} m off, and typically {typical} m from "
        "where the others put them; {share} of the {extent} m that they span are allowed; {problem}",
        "các điểm mâu thuẫn nhau: lệch nhiều nhất {most} m, thường lệch {typical} m so với vị trí suy từ "
        "các điểm khác; chỉ cho phép {share} của khoảng {extent} m; {problem}",
    ),
    (
        "measure and mark point {number} again, which the others put {problem}",
        "hãy đo và đánh dấu lại điểm {number}, theo các điểm khác thì điểm này nằm {problem}",
    ),
    ("{metres} m away", "cách đó {metres} m"),
    ("beyond the horizon", "ngoài đường chân trời"),
    (
        "add points, which shows the wrong one, or measure them again",
        "hãy thêm điểm để biết điểm nào sai, hoặc đo lại",
    ),
    (
        "the horizon passes through the polygon `valid`; keep it on the road, well below the horizon",
        "đường chân trời cắt qua vùng `valid`; hãy giữ vùng trên mặt đường, thấp hơn hẳn đường chân trời",
    ),
    (
        "nothing of the region where the mapping is valid lies within the picture",
        "vùng đo được nằm hoàn toàn ngoài khung hình",
    ),
    (
        "cannot read the view {path}: {reason}; give the path of a view's YAML file",
        "không đọc được hình vẽ {path}: {reason}; hãy cho đường dẫn tệp YAML của hình vẽ",
    ),
    ("{path}:{line} {reason}; correct the YAML there", "{path}:{line} {reason}; hãy sửa YAML ở đó"),
    ("lists are nested too deeply; write the view anew", "danh sách lồng quá sâu; hãy viết lại hình vẽ"),
    (
        "they are missing; a view begins with a list of gates",
        "còn thiếu; hình vẽ bắt đầu bằng danh sách vạch đếm",
    ),
    (
        "a part of the view contains itself; write it out instead",
        "một phần của hình vẽ chứa chính nó; hãy viết rõ ra",
    ),
    ("there is no such field; correct its name or remove it", "không có mục này; hãy sửa tên hoặc bỏ đi"),
    ("it is missing; add it", "còn thiếu; hãy thêm"),
    ("it is there twice; keep one", "bị ghi hai lần; hãy giữ một"),
    (
        "coordinates are shares of the picture's width or height, 0 to 1, not pixels",
        "tọa độ là phần của bề ngang hoặc bề cao hình, từ 0 đến 1, không phải số điểm ảnh",
    ),
    (
        "cannot write {path}: {reason}; choose another folder",
        "không ghi được {path}: {reason}; hãy chọn thư mục khác",
    ),
    (
        "no tracks of camera {camera} are kept from that time",
        "không lưu vết xe nào của camera {camera} trong khoảng đó",
    ),
    (
        "no tracks of camera {camera} are kept from that time; let it run for some minutes and try again",
        "không lưu vết xe nào của camera {camera} trong khoảng đó; hãy để camera chạy thêm vài phút rồi "
        "thử lại",
    ),
    (
        "cannot write tracks to {folder}: {reason}; choose another folder",
        "không ghi được vết xe vào {folder}: {reason}; hãy chọn thư mục khác",
    ),
    ("at most six hours are looked at in one request", "mỗi lần chỉ xem được nhiều nhất sáu giờ"),
    ("this service keeps no tracks of live cameras", "máy chủ này không lưu vết xe của camera trực tiếp"),
    ("nothing to go by", "chưa có gì để dựa vào"),
    (
        "too little moves in this clip to propose gates; draw a view, or give a longer clip with traffic",
        "quá ít xe chạy trong đoạn ghi để đề xuất vạch đếm; hãy tự vẽ, hoặc dùng đoạn ghi dài hơn có xe",
    ),
    (
        "camera {camera} has no version {version} of a view",
        "camera {camera} không có phiên bản {version} của hình vẽ",
    ),
    (
        "no picture of camera {camera} is kept for this view yet",
        "chưa lưu hình nào của camera {camera} cho hình vẽ này",
    ),
    (
        "no picture of camera {camera} is kept for this view yet; wait",
        "chưa lưu hình nào của camera {camera} cho hình vẽ này; hãy đợi",
    ),
    (
        "{path} is not a file of tracks written by ngatu; give the tracks.parquet of a count",
        "{path} không phải tệp vết xe của ngatu; hãy cho tệp tracks.parquet của một lần đếm",
    ),
    (
        "{path} does not exist; give the tracks.parquet of a count",
        "không có {path}; hãy cho tệp tracks.parquet của một lần đếm",
    ),
    (
        "{path} is damaged and cannot be read to its end; count the video again",
        "{path} bị hỏng, không đọc được đến hết; hãy đếm lại video",
    ),
    (
        "cannot write {path}: {reason}; free the disk or choose another folder",
        "không ghi được {path}: {reason}; hãy giải phóng ổ đĩa hoặc chọn thư mục khác",
    ),
)
