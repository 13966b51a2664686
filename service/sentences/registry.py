"""Sites, approaches, cameras, owners: what does not fit together."""

PAIRS: tuple[tuple[str, str], ...] = (
    (
        "there is no site {site}; add it or correct the name",
        "không có địa điểm {site}; hãy thêm hoặc sửa lại mã",
    ),
    (
        "camera {camera} has the same address; one video source is one camera of one site",
        "camera {camera} đã dùng địa chỉ này; mỗi nguồn hình là một camera của một địa điểm",
    ),
    (
        "{site} is a public area, which has no approaches; only junctions have",
        "{site} là khu vực công cộng nên không có nhánh; chỉ nút giao có nhánh",
    ),
    (
        "there is no approach {approach} at {site}; add it or correct the name",
        "không có nhánh {approach} ở {site}; hãy thêm hoặc sửa lại mã",
    ),
    (
        "there is no camera {camera}; add it or correct the name",
        "không có camera {camera}; hãy thêm hoặc sửa lại mã",
    ),
    (
        "camera {camera} belongs to {site}; an owner is a camera of the same site",
        "camera {camera} thuộc {site}; camera phụ trách phải cùng địa điểm",
    ),
    (
        "site {site} has no approach {approach}; {problem}",
        "địa điểm {site} không có nhánh {approach}; {problem}",
    ),
    ("its approaches: {known}", "các nhánh của địa điểm: {known}"),
    ("it has none", "địa điểm chưa có nhánh nào"),
    ("it is missing; a position has both lat and lon", "còn thiếu; vị trí cần cả vĩ độ và kinh độ"),
    (
        "the registry was changed by somebody else meanwhile; run it again and look at the changes",
        "người khác vừa sửa danh mục; hãy làm lại và xem các thay đổi",
    ),
    (
        "it is the address once more; give that of the camera's smaller stream, or leave it out",
        "trùng với địa chỉ ở trên; hãy ghi địa chỉ luồng nhỏ hơn của camera, hoặc để trống",
    ),
)
