"""The words of the story's page, in both languages."""

from typing import Any, Final

from gateway.model.errors.base import Text
from gateway.wiring.demo import CITIZEN, INSURANCE

PAGE: Final = {
    "title": Text("Told once", "Khai một lần"),
    "subtitle": Text(
        "How a birth was registered in Hải Phòng without asking for what the state already knows.",
        "Một ca khai sinh tại Hải Phòng: điều Nhà nước đã biết thì không hỏi lại người dân.",
    ),
    "fictional": Text(
        "Everything ran for real on this machine: gateway, signatures, log. The people are made up.",
        "Mọi bước đều chạy thật trên máy này: cổng, chữ ký số, nhật ký. Nhân vật là hư cấu.",
    ),
    "not_typed": Text("fields the citizen did not have to type", "trường người dân không phải khai lại"),
    "of": Text("of", "trên"),
    "typed": Text("numbers typed by the officer", "số định danh cán bộ nhập"),
    "asked": Text("questions left for the parents", "câu còn phải hỏi cha mẹ"),
    "verified_records": Text("records verified in the public log", "bản ghi được kiểm chứng trong nhật ký công khai"),
    "form": Text("The form, and where each field comes from", "Tờ khai, và nguồn của từng trường"),
    "form_note": Text(
        "Numbers are masked on this page. Each value carries its source, time, confidence and record in the log.",
        "Các số được che trên trang này. Mỗi giá trị đi kèm nguồn, thời điểm, độ tin cậy và bản ghi trong nhật ký.",
    ),
    "field": Text("Field", "Trường"),
    "value": Text("Value", "Giá trị"),
    "source": Text("Source", "Nguồn"),
    "as_of": Text("Data of", "Dữ liệu ngày"),
    "confidence": Text("Confidence", "Độ tin cậy"),
    "record": Text("Record", "Bản ghi"),
    "ask": Text("asked of the parents: only they know", "hỏi cha mẹ: chỉ họ biết"),
    "typed_here": Text("typed by the officer, confirmed by the register", "cán bộ nhập, nguồn xác nhận"),
    "sources": Text("Two agencies, one question", "Hai cơ quan, một lần hỏi"),
    "sources_alt": Text(
        "The portal asks the gateway once; the gateway asks the two registers at the same time.",
        "Cổng dịch vụ công hỏi cổng trao đổi một lần; cổng trao đổi hỏi đồng thời hai nguồn dữ liệu.",
    ),
    "portal": Text("Hải Phòng's portal", "Cổng DVC Hải Phòng"),
    "gateway_does": Text("signs · decides · records", "ký số · quyết định · ghi nhật ký"),
    "fields": Text("fields", "trường"),
    "one_call": Text("one signed call", "một lời gọi có chữ ký"),
    "lookups": Text("The same moments, as the log has them", "Cũng những thời điểm đó, theo nhật ký"),
    "lookups_note": Text(
        "The four look-ups run at once, each decided, signed and recorded on its own under the parents' case.",
        "Bốn lượt tra cứu chạy song song; mỗi lượt được quyết định, ký và ghi nhật ký riêng trong cùng hồ sơ.",
    ),
    "whole_form": Text("The form as a whole", "Toàn bộ tờ khai"),
    "other_families": Text("When registers disagree, or do not know", "Khi các nguồn khác nhau hoặc không có"),
    "differ": Text("Two sources, two dates", "Hai nguồn, hai ngày sinh"),
    "differ_text": Text(
        "The agencies do not say the same of this field. The officer is told which one, the log keeps no value.",
        "Hai cơ quan ghi không giống nhau ở trường này. Cán bộ được báo đúng trường; nhật ký không lưu giá trị.",
    ),
    "elsewhere": Text("Not in the register", "Chưa có trong dữ liệu dân cư"),
    "elsewhere_text": Text(
        "The population database has no record of this father. That is said, field by field; what insurance knows"
        " is filled in all the same.",
        "Dữ liệu dân cư chưa có người cha này. Điều đó được nói rõ từng trường; phần bảo hiểm biết vẫn được điền.",
    ),
    "frozen": Text("When a register freezes", "Khi hệ thống nguồn bị treo"),
    "frozen_text": Text(
        "No answer is not the same as no data. The fields of the frozen register are marked; the rest is there.",
        "Không trả lời không có nghĩa là không có dữ liệu. Trường của nguồn bị treo được đánh dấu; phần còn lại"
        " vẫn được điền.",
    ),
    "refused": Text("What was refused", "Những gì bị từ chối"),
    "refused_note": Text(
        "Each refusal says whose fault it is and what to do next, and is signed like any answer.",
        "Mỗi lời từ chối nêu rõ lỗi ở phía nào, cần làm gì tiếp, và được ký số như mọi câu trả lời.",
    ),
    "finding": Text("What the auditor found", "Kiểm toán viên phát hiện gì"),
    "finding_text": Text(
        "What the gateway keeps on disk does not show its operator who was looked up. The auditor can read it, with a"
        " key of their own; and each of their searches is recorded too.",
        "Dữ liệu cổng lưu trên đĩa không cho đơn vị vận hành biết ai đã bị tra cứu. Kiểm toán viên đọc được, bằng khóa"
        " riêng; mỗi lượt tra cứu của họ cũng được ghi lại.",
    ),
    "officer": Text("Officer", "Cán bộ"),
    "agency": Text("Agency", "Cơ quan"),
    "dossier": Text("Dossier given as reason", "Hồ sơ được nêu làm lý do"),
    "persons": Text("Persons looked up", "Số người bị tra cứu"),
    "between": Text("Between", "Thời gian"),
    "refusal_record": Text("Record of the refusal", "Bản ghi lời từ chối"),
    "neighbour": Text("What the neighbour sees of it", "Người hàng xóm thấy gì"),
    "neighbour_text": Text(
        "A list of their own, at the portal, by a token of their own. Behind each line are two receipts, which anybody"
        " can verify with the log's key.",
        "Danh sách của riêng họ, trên cổng dịch vụ công, bằng mã của chính họ. Sau mỗi dòng là hai biên nhận mà ai cũng"
        " kiểm chứng được bằng khóa của nhật ký.",
    ),
    "at": Text("When", "Khi nào"),
    "purpose": Text("For what", "Để làm gì"),
    "fields_given": Text("Fields that were given", "Trường đã cung cấp"),
    "calls": Text("All calls of this story", "Toàn bộ lời gọi trong câu chuyện"),
    "when": Text("After", "Sau"),
    "who": Text("Who", "Ai"),
    "what": Text("What", "Việc gì"),
    "ended": Text("How it ended", "Kết quả"),
    "took": Text("Took", "Thời lượng"),
    "log": Text("The log's checkpoint", "Điểm kiểm của nhật ký"),
    "log_text": Text(
        "One signed text stands for every record. Whoever keeps it can prove later that nothing was removed or"
        " rewritten; it shows no personal data.",
        "Một văn bản có chữ ký đại diện cho mọi bản ghi. Ai giữ nó đều có thể chứng minh về sau rằng không gì bị xóa"
        " hay viết lại; nó không chứa dữ liệu cá nhân.",
    ),
    "forged": Text("One byte was altered on purpose. The verifier said:", "Thử sửa một byte. Trình kiểm chứng báo:"),
    "steps": Text("The story, step by step", "Diễn biến từng bước"),
    "as_told": Text("turned out as told", "đúng như mô tả"),
    "not_as_told": Text("did not turn out as told", "không đúng như mô tả"),
    "skip": Text("Skip to the form", "Đến tờ khai"),
}

SOURCES: Final = {
    CITIZEN: Text("National population database", "CSDL quốc gia về dân cư"),
    INSURANCE: Text("Vietnam Social Security", "Bảo hiểm xã hội Việt Nam"),
}
SHORT: Final = {CITIZEN: Text("Population", "Dân cư"), INSURANCE: Text("Insurance", "Bảo hiểm")}

CONFIDENCE: Final = {
    "signed_by_source": Text("signed by the source", "nguồn ký số"),
    "tls_source": Text("straight from the source", "trực tiếp từ nguồn"),
    "cached": Text("kept from before", "bản lưu"),
    "declared": Text("declared", "tự khai"),
}

_CODES: Final[dict[str, Text]] = {
    "ethnicity/01": Text("Kinh", "Kinh"),
    "nationality/VN": Text("Vietnamese", "Việt Nam"),
    "marital_status/single": Text("single", "Chưa kết hôn"),
    "marital_status/married": Text("married", "Đã kết hôn"),
    "marital_status/divorced_or_widowed": Text("divorced or widowed", "Đã ly hôn hoặc góa"),
}

_SHOWN = 3
"""Digits of a number that are shown at either end."""


def shown(element: str, value: Any, language: str) -> str:
    """An element's value for people; numbers of persons are masked."""
    if element.endswith("_number"):
        text = str(value)
        return f"{text[:_SHOWN]} ••• {text[-_SHOWN:]}"
    if isinstance(value, dict):
        return _structure(element, value, language)
    known = _CODES.get(f"{element}/{value}")
    return known.in_language(language) if known else str(value)


def _structure(element: str, value: dict[str, Any], language: str) -> str:
    if "date" in value:
        return "/".join(reversed(str(value["date"]).split("-")))
    if "detail" in value:
        return str(value["detail"])
    code = str(value.get("code", ""))
    known = _CODES.get(f"{element}/{code}")
    return known.in_language(language) if known else str(value.get("name", code))
